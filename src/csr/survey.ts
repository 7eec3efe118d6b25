import type { Plan } from '../cluster/planned-identity.ts';
import { readCsrObject, stateOf, type CsrObject, type CsrState } from './csr-object.ts';
import { judgeCsr, refuse, servingSigner, type Verdict } from './judge-csr.ts';
import { refusal } from './refusal-reasons.ts';

/** What is to be thought of one request, at the end of a survey. */
export interface Decision {
  readonly name: string;
  readonly uid: string;
  /** The user who asks: `system:node:NAME`. */
  readonly requester: string;
  readonly state: CsrState | 'unknown';
  /** `none` for what was decided before. */
  readonly verdict: Verdict | { readonly kind: 'none' };
  /** The object as it came, of a request that is to be approved; others are not kept, as there may be many. */
  readonly value: unknown;
}

/** Verdicts by uid: what a request asks for never changes, so that whoever looks again and again judges it once. */
export type KnownVerdicts = Map<string, Verdict>;

/** Looks at all requests of a cluster, one after the other, and says at the end what to do about each. */
export class Survey {
  readonly #plan: Plan;
  readonly #known: KnownVerdicts;
  readonly #decisions: Decision[] = [];
  readonly #newest = new Map<string, Place>();

  constructor(plan: Plan, known: KnownVerdicts = new Map()) {
    this.#plan = plan;
    this.#known = known;
  }

  /** @param value a CertificateSigningRequest, as JSON has it */
  add(value: unknown): void {
    const read = readCsrObject(value);
    if (read.kind === 'object') this.#addObject(read.object, value);
    else {
      const verdict = refuse(refusal('object-malformed', read.problem));
      this.#decisions.push({ name: read.name, uid: '', requester: '', state: 'unknown', verdict, value: undefined });
    }
  }

  #addObject(object: CsrObject, value: unknown): void {
    const { metadata, spec } = object;
    const state = stateOf(object);
    const verdict = state === 'pending' ? this.#judge(object) : { kind: 'none' as const };
    const kept = verdict.kind === 'approve' ? value : undefined;
    const { name, uid } = metadata;
    const decision = { name, uid, requester: spec.username, state, verdict, value: kept };
    this.#decisions.push(decision);
    if (spec.signerName === servingSigner) this.#noteNewest(object, decision);
  }

  #judge(object: CsrObject): Verdict {
    const { uid } = object.metadata;
    const verdict = this.#known.get(uid) ?? judgeCsr(object, this.#plan);
    this.#known.set(uid, verdict);
    return verdict;
  }

  #noteNewest(object: CsrObject, decision: Decision): void {
    const { metadata, spec } = object;
    const { creationTimestamp, resourceVersion } = metadata;
    const place = { decision, object, created: Date.parse(creationTimestamp), version: BigInt(resourceVersion) };
    const newest = this.#newest.get(spec.username);
    if (newest === undefined || isLater(place, newest)) this.#newest.set(spec.username, place);
  }

  /** In the order in which the requests came. One that the same node has made a newer one after is not approved. */
  decisions(): Decision[] {
    return this.#decisions.map((decision) => {
      const newest = this.newestOf(decision.requester)?.decision;
      if (decision.verdict.kind !== 'approve' || newest === undefined || newest === decision) return decision;
      const why = refusal('superseded', `${newest.name} is newer`);
      return { ...decision, verdict: refuse(why, decision.verdict.key), value: undefined };
    });
  }

  /** The newest request of a user, whatever became of it. */
  newestOf(user: string): { readonly decision: Decision; readonly object: CsrObject } | undefined {
    return this.#newest.get(user);
  }
}

interface Place {
  readonly decision: Decision;
  readonly object: CsrObject;
  readonly created: number;
  readonly version: bigint;
}

/** Times have whole seconds; within one the apiserver's own count decides. */
function isLater(one: Place, other: Place): boolean {
  return one.created === other.created ? one.version > other.version : one.created > other.created;
}
