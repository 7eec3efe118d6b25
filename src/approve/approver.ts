import pMap from 'p-map';
import { approvalOf, denialOf, isDeniable } from '../csr/approval.ts';
import { readCsrObject } from '../csr/csr-object.ts';
import { Survey, type Decision, type Seen } from '../csr/survey.ts';
import type { CsrApi, CsrEvents } from '../edges/kubernetes/csr-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { NodeReports, type NodeReportsOptions } from './node-report.ts';
import { isTrouble, pauseAfter, type Trouble } from './trouble.ts';

export interface ApproverOptions extends NodeReportsOptions {
  /** Gets each refusal once, and each approval and denial that the cluster has taken. */
  readonly onDecision: (decision: Decision, isDenied: boolean) => void;
  /** Whether what is refused is denied, where it is bake's to deny. */
  readonly deny: boolean;
  readonly now: () => Date;
  /** Before a decision is tried again, at first; other than usual where a test has no time. */
  readonly pauseMs?: number;
}

/** A decision that has not got through. */
interface Failed {
  readonly name: string;
  readonly trouble: Trouble;
}

/** A request that is to be decided, and the object to do it with. */
interface Waiting {
  readonly decision: Decision;
  readonly value: unknown;
  /** Of the object, in characters, where it counts: of those to approve there is no more than one a user. */
  readonly size: number;
}

type Named = Pick<Decision, 'uid' | 'name'>;

/** How much of what is to be denied is held at once, in characters: there may be more of it than memory. */
const MAX_HELD = 16 << 20;

/**
 * Judges requests as they come, and approves what is planned. Of requests that are no longer its business it keeps nothing
 * but the uids of those that it has told of, until they are gone from the cluster.
 */
export class Approver {
  readonly #options: ApproverOptions;
  readonly reports: NodeReports;
  readonly #survey: Survey;
  // All by keyOf().
  readonly #waiting = new Map<string, Waiting>();
  /** The sum of what waits. */
  #held = 0;
  /** Whether there is more to decide, which only a list brings back. */
  #isMore = false;
  /** Decisions that no answer has come to. */
  readonly #unanswered = new Map<string, Decision>();
  /** How often a decision has not got through, and when it is to be tried again; only of what waits. */
  readonly #failed = new Map<string, { readonly times: number; readonly tryAt: number }>();
  /** The verdict that was told last. */
  readonly #told = new Map<string, string>();

  constructor(options: ApproverOptions) {
    this.#options = options;
    this.reports = new NodeReports(options);
    this.#survey = new Survey(options.plan);
  }

  /**
   * Looks at all requests. What is to be decided waits for send(), since a node's newest request may come last.
   * @returns the version of the cluster that a watch goes on from
   * @throws as CsrApi.list
   */
  async list(api: CsrApi): Promise<string> {
    this.#waiting.clear();
    this.#held = 0;
    this.#isMore = false;
    const seen = new Set<string>();
    const newest = new Map<string, Seen>();
    let listed = '';
    for await (const { values, version } of api.list()) {
      for (const request of values.map((value) => this.#look(value))) {
        seen.add(keyOf(request.decision));
        if (this.#survey.isNewest(request.decision)) newest.set(request.decision.requester, request);
      }
      this.#dropSuperseded();
      listed = version;
    }
    for (const request of newest.values()) this.reports.note(request);
    for (const known of [this.#told, this.#unanswered, this.#failed]) {
      for (const uid of known.keys()) if (!seen.has(uid)) known.delete(uid);
    }
    this.reports.forgetUnless((uid) => seen.has(uid));
    return listed;
  }

  /** Looks at what has changed since. */
  take({ changes }: CsrEvents): void {
    for (const { value, gone } of changes) {
      if (gone) this.#forget(value);
      else {
        const request = this.#look(value);
        if (this.#survey.isNewest(request.decision)) this.reports.note(request);
      }
    }
  }

  #look(value: unknown): Seen {
    const seen = this.#survey.add(value);
    const { decision } = seen;
    if (this.#decided(decision, value) !== undefined) this.#wait(decision, value);
    else {
      this.#waitNoMore(decision);
      if (decision.verdict.kind === 'refuse') this.#tell(decision);
    }
    this.#tellWhatCameThrough(decision);
    return seen;
  }

  /** Has it decided by send(), unless that is a denial too many. */
  #wait(decision: Decision, value: unknown): void {
    const uid = keyOf(decision);
    const size = decision.verdict.kind === 'refuse' ? JSON.stringify(value).length : 0;
    const held = this.#held - (this.#waiting.get(uid)?.size ?? 0);
    if (size > 0 && held > 0 && held + size > MAX_HELD) {
      this.#isMore = true;
      this.#waitNoMore(decision);
    } else {
      this.#held = held + size;
      this.#waiting.set(uid, { decision, value, size });
    }
  }

  #waitNoMore(one: Named): void {
    const uid = keyOf(one);
    this.#held -= this.#waiting.get(uid)?.size ?? 0;
    this.#waiting.delete(uid);
    this.#failed.delete(uid);
  }

  /** Whether what is left to decide is to be listed again, now that it can be held. */
  get mustList(): boolean {
    return this.#isMore && this.#held < MAX_HELD / 2;
  }

  /** Of a node that asks over and over only the newest request waits on: there may be many, and large ones. */
  #dropSuperseded(): void {
    for (const { decision } of this.#waiting.values()) {
      const settled = this.#survey.settle(decision);
      if (settled === decision) continue;
      this.#waitNoMore(decision);
      this.#tell(settled);
    }
  }

  /** For one that is gone. */
  #forget(value: unknown): void {
    const read = readCsrObject(value);
    const { name, uid } = read.kind === 'malformed' ? { name: read.name, uid: '' } : read.object.metadata;
    const gone = { name, uid };
    this.#waitNoMore(gone);
    for (const known of [this.#told, this.#unanswered]) known.delete(keyOf(gone));
    if (read.kind !== 'malformed') this.reports.forget(read.object.spec.username, uid);
  }

  /**
   * Decides what waits, approvals first. What does not get through waits on, and is tried again after a pause of its own.
   * What has changed meanwhile is left to what the list or the watch brings next.
   * @throws as ApproverOptions.onDecision
   */
  async send(api: CsrApi): Promise<{ readonly tried: number; readonly failed: readonly Failed[] }> {
    const failed: (Failed & Waiting)[] = [];
    let end: { readonly error: unknown } | undefined;
    const send = async (waiting: Waiting): Promise<void> => {
      if (end !== undefined) return;
      try {
        await this.#sendOne(api, waiting);
      } catch (error) {
        if (!isTrouble(error, true)) {
          // What is under way may be taken, and then is told.
          end ??= { error };
          return;
        }
        if (error instanceof SourceTrouble) this.#unanswered.set(keyOf(waiting.decision), waiting.decision);
        failed.push({ ...waiting, name: waiting.decision.name, trouble: error });
      }
    };
    const isRefused = ({ decision }: Waiting): number => Number(decision.verdict.kind === 'refuse');
    const now = performance.now();
    const isDue = ({ decision }: Waiting): boolean => (this.#failed.get(keyOf(decision))?.tryAt ?? 0) <= now;
    const inOrder = [...this.#waiting.values()].filter(isDue).sort((one, other) => isRefused(one) - isRefused(other));
    await pMap(inOrder, send, { concurrency: 16 });
    if (end !== undefined) throw end.error;
    for (const { decision, trouble } of failed) this.#noteFailed(decision, trouble);
    return { tried: inOrder.length, failed };
  }

  #noteFailed(decision: Decision, trouble: Trouble): void {
    const uid = keyOf(decision);
    const times = 1 + (this.#failed.get(uid)?.times ?? 0);
    const tryAt = performance.now() + pauseAfter(trouble, times, this.#options.pauseMs);
    this.#failed.set(uid, { times, tryAt });
    this.reports.noteTrouble(decision, trouble);
  }

  /** When the next decision is to be tried again; Infinity where none is. */
  get nextTryAt(): number {
    let next = Infinity;
    for (const { tryAt } of this.#failed.values()) next = Math.min(next, tryAt);
    return next;
  }

  async #sendOne(api: CsrApi, { decision, value }: Waiting): Promise<void> {
    const settled = this.#survey.settle(decision);
    const decided = this.#decided(settled, value);
    const isTaken = decided !== undefined && (await api.decide(decision.name, decided));
    this.#waitNoMore(decision);
    if (decided === undefined || isTaken) this.#tell(settled, isTaken && settled.verdict.kind === 'refuse');
    if (isTaken) this.reports.noteDecision(settled);
  }

  /** What is to be put in the place of a request; undefined where it is to be left alone. */
  #decided({ verdict }: Decision, value: unknown): object | undefined {
    const { deny, now } = this.#options;
    if (verdict.kind === 'approve') return approvalOf(value, now());
    return deny && verdict.kind === 'refuse' && isDeniable(verdict) ? denialOf(value, verdict, now()) : undefined;
  }

  /** A decision whose answer was lost on the way. */
  #tellWhatCameThrough({ uid, state }: Decision): void {
    const sent = this.#unanswered.get(uid);
    if (sent === undefined) return;
    const isDenied = sent.verdict.kind === 'refuse';
    if (isDenied ? state === 'denied' : state === 'approved' || state === 'issued') this.#tell(sent, isDenied);
  }

  #tell(decision: Decision, isDenied = false): void {
    const { verdict } = decision;
    const what = verdict.kind === 'refuse' ? `${verdict.reason} ${String(isDenied)}` : verdict.kind;
    if (this.#told.get(keyOf(decision)) === what) return;
    this.#told.set(keyOf(decision), what);
    this.#options.onDecision(decision, isDenied);
  }
}

/** What is no request has no uid that could be read. */
function keyOf({ uid, name }: Named): string {
  return uid === '' ? name : uid;
}
