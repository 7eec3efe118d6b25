import type { Plan } from '../cluster/planned-identity.ts';
import { readCsrObject, stateOf, type CsrObject, type CsrState } from './csr-object.ts';
import { judgeCsr, refuse, servingSigner, type Verdict } from './judge-csr.ts';
import { refusal } from './refusal-reasons.ts';

/** What is to be thought of one request. */
export interface Decision {
  readonly name: string;
  readonly uid: string;
  /** The user who asks: `system:node:NAME`. */
  readonly requester: string;
  readonly state: CsrState | 'unknown';
  /** `none` for what was decided before. */
  readonly verdict: Verdict | { readonly kind: 'none' };
}

/** A request as it was seen; `object` is undefined where it is none. */
export interface Seen {
  readonly decision: Decision;
  readonly object: CsrObject | undefined;
}

/**
 * Looks at the requests of a cluster, one after the other and again when one has changed. Of those it has seen it keeps no
 * more than the newest of each planned node: there may be many.
 */
export class Survey {
  readonly #plan: Plan;
  readonly #newest = new Map<string, Place>();

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
      return { decision: { name: read.name, uid: '', requester: '', state: 'unknown', verdict }, object: undefined };
    }
    const { object } = read;
    const { metadata, spec } = object;
    const state = stateOf(object);
    const verdict = state === 'pending' ? judgeCsr(object, this.#plan) : { kind: 'none' as const };
    if (spec.signerName === servingSigner && this.#plan.has(spec.username)) this.#noteNewest(object);
    return { decision: { name: metadata.name, uid: metadata.uid, requester: spec.username, state, verdict }, object };
  }

  #noteNewest({ metadata, spec: { username } }: CsrObject): void {
    const { name, uid, creationTimestamp, resourceVersion } = metadata;
    const place = { name, uid, created: Date.parse(creationTimestamp), version: BigInt(resourceVersion) };
    const newest = this.#newest.get(username);
    if (newest === undefined || newest.uid === uid || isLater(place, newest)) this.#newest.set(username, place);
  }

  /** One that the same node has made a newer one after is not approved, whatever became of the newer one. */
  settle(decision: Decision): Decision {
    const newest = this.#newest.get(decision.requester);
    if (decision.verdict.kind !== 'approve' || newest === undefined || newest.uid === decision.uid) return decision;
    return { ...decision, verdict: refuse(refusal('superseded', `${newest.name} is newer`), decision.verdict.key) };
  }

  /** Whether it is the newest of a planned node. */
  isNewest({ requester, uid }: Decision): boolean {
    return this.#newest.get(requester)?.uid === uid;
  }

  /** For one that is gone. */
  forget(decision: Decision): void {
    if (this.isNewest(decision)) this.#newest.delete(decision.requester);
  }
}

interface Place {
  readonly name: string;
  readonly uid: string;
  readonly created: number;
  readonly version: bigint;
}

/** Times have whole seconds; within one the apiserver's own count decides. */
function isLater(one: Place, other: Place): boolean {
  return one.created === other.created ? one.version > other.version : one.created > other.created;
}
