import { readCsrObject, stateOf, type CsrObject, type CsrState } from './csr-object.ts';
import { isRenewal, judgeCsr, refuse, type Verdict } from './judge-csr.ts';
import { useOf, type Plan, type Use } from './plan.ts';
import { refusal } from './refusal-reasons.ts';

/** What is to be thought of one request. */
export interface Decision {
  readonly name: string;
  readonly uid: string;
  /** The user who asks: `system:node:NAME`, `system:bootstrap:ID`. */
  readonly requester: string;
  /** Undefined where it is for no certificate of a kubelet. */
  readonly use: Use | undefined;
  /** The planned node that asks; undefined where it is none. */
  readonly node: string | undefined;
  readonly state: CsrState | 'unknown';
  /** `none` for what was decided before, and what is the cluster's to decide: a renewal. */
  readonly verdict: Verdict | { readonly kind: 'none' };
}

/** A request as it was seen; `object` is undefined where it is none. */
export interface Seen {
  readonly decision: Decision;
  readonly object: CsrObject | undefined;
}

/**
 * Looks at the requests of a cluster, one after the other and again when one has changed. Of those it has seen it keeps no
 * more than which was the newest of each user that may ask, also when that is gone: there may be many, and none that is
 * older is to be approved an hour later, when the cluster has removed the newer one that was.
 */
export class Survey {
  readonly #plan: Plan;
  readonly #newest = new Map<string, Newest>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /**
   * @param value a CertificateSigningRequest, as JSON has it
   * @returns what is to be thought of it, as far as no newer one is seen: settle() says, once all are
   */
  add(value: unknown): Seen {
    const read = readCsrObject(value);
    if (read.kind === 'malformed') {
      const verdict = refuse(refusal('object-malformed', read.problem));
      const unread = { uid: '', requester: '', use: undefined, node: undefined, state: 'unknown' } as const;
      return { decision: { name: read.name, ...unread, verdict }, object: undefined };
    }
    const { object } = read;
    const { metadata, spec } = object;
    const use = useOf(spec.signerName);
    const node = use && this.#plan[use]?.get(spec.username)?.name;
    if (node !== undefined) this.#noteNewest(object);
    const { name, uid } = metadata;
    const state = stateOf(object);
    const verdict = state === 'pending' ? this.#judge(object) : { kind: 'none' as const };
    return { decision: { name, uid, requester: spec.username, use, node, state, verdict }, object };
  }

  #judge(object: CsrObject): Decision['verdict'] {
    if (this.#plan.client !== undefined && isRenewal(object)) return { kind: 'none' };
    return judgeCsr(object, this.#plan);
  }

  #noteNewest({ metadata, spec: { username } }: CsrObject): void {
    const { name, uid, creationTimestamp, resourceVersion } = metadata;
    const newest = this.#newest.get(username);
    const one = { name, uid, created: Date.parse(creationTimestamp), version: BigInt(resourceVersion) };
    if (newest === undefined || newest.uid === uid || isLater(one, newest)) this.#newest.set(username, one);
  }

  /** One that the same user has made a newer one after is not approved, whatever became of the newer one. */
  settle(decision: Decision): Decision {
    const newest = this.#newest.get(decision.requester);
    if (decision.verdict.kind !== 'approve' || newest === undefined || newest.uid === decision.uid) return decision;
    return { ...decision, verdict: refuse(refusal('superseded', `${newest.name} is newer`), decision.verdict.key) };
  }

  /** Whether it is the newest of a user that may ask. */
  isNewest({ requester, uid }: Decision): boolean {
    return this.#newest.get(requester)?.uid === uid;
  }
}

/** The newest request of a user, and what makes it that. */
interface Newest {
  readonly name: string;
  readonly uid: string;
  readonly created: number;
  readonly version: bigint;
}

/** Times have whole seconds; within one the apiserver's own count decides. */
function isLater(one: Newest, other: Newest): boolean {
  return one.created === other.created ? one.version > other.version : one.created > other.created;
}
