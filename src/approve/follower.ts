import { setTimeout } from 'node:timers/promises';
import type { CsrApi, CsrEvents } from '../edges/kubernetes/csr-api.ts';
import { Failure } from '../diagnostics/failure.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Approver } from './approver.ts';
import { ReadAhead } from './read-ahead.ts';
import { isTrouble, PAUSE_MS, pauseAfter, type Trouble } from './trouble.ts';

export interface Following {
  /** Called until it succeeds, and again whenever all requests have to be listed. */
  readonly open: () => Promise<CsrApi>;
  /** Gets what keeps the cluster from answering, once as long as it stays the same. */
  readonly onTrouble: (message: string) => void;
  /** Gets, again and again, whether the cluster does as it is asked. */
  readonly onHealth?: (isWell: boolean) => void;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly pauseMs?: number;
  readonly watchMs?: number;
}

interface Until {
  /** As performance.now() has it. */
  readonly deadline: number;
  readonly isDone: () => boolean;
}

/** How long a watch goes on, at least; one that is silent because its connection is dead is found out so. */
const WATCH_MS = 60_000;

/** Where a watch goes on. */
interface Place {
  readonly api: CsrApi;
  version: string;
}

/**
 * Gives an Approver all requests of a cluster, and then what happens to them, with pauses after trouble. They are listed
 * again only where the place in history is gone, the login was refused, or there is more to decide than is held.
 */
export class Follower {
  readonly #approver: Approver;
  readonly #following: Following;
  readonly #until: Until;
  readonly #pauseMs: number;
  #place: Place | undefined;
  #wasWell = false;
  /** In a row, and the last of them. */
  #troubles = 0;
  #trouble: Trouble | undefined;
  /** Of all that were to be decided last none was. */
  #isStuck = false;
  #toldOfDecisions = '';

  constructor(approver: Approver, following: Following, until: Until) {
    this.#approver = approver;
    this.#following = following;
    this.#until = until;
    this.#pauseMs = following.pauseMs ?? PAUSE_MS;
  }

  /** @throws as approvePlanned and watchPlanned */
  async run(): Promise<void> {
    while (!(await this.#tryTurn())) {
      const left = this.#until.deadline - performance.now();
      if (left <= 0) break;
      if (this.#troubles === 0 || this.#trouble === undefined) continue;
      const pause = pauseAfter(this.#trouble, this.#troubles, this.#pauseMs);
      await setTimeout(Math.min(left, pause), undefined, { signal: this.#following.signal });
    }
    if (!this.#wasWell && this.#trouble !== undefined) throw this.#trouble;
  }

  /** @returns whether that was all; after trouble it was not */
  async #tryTurn(): Promise<boolean> {
    const { onTrouble, onHealth } = this.#following;
    try {
      return await this.#turn();
    } catch (error) {
      if (!isTrouble(error, this.#wasWell)) throw error;
      onHealth?.(false);
      if (this.#troubles === 0 || error.message !== this.#trouble?.message) onTrouble(error.message);
      this.#trouble = error;
      this.#troubles += 1;
      if (!(error instanceof SourceTrouble) || error.missing) this.#place = undefined;
      return false;
    }
  }

  /** One watch, after a list where it has to be. */
  async #turn(): Promise<boolean> {
    const place = (this.#place ??= await this.#list());
    if (this.#isOver) {
      await this.#send(place.api);
      this.#wasWell = true;
    } else {
      await this.#watch(place);
    }
    this.#troubles = 0;
    if (!this.#approver.mustList) return this.#until.isDone();
    this.#place = undefined;
    return false;
  }

  get #isOver(): boolean {
    return this.#until.isDone() || performance.now() >= this.#until.deadline;
  }

  async #list(): Promise<Place> {
    const api = await this.#following.open();
    return { api, version: await this.#approver.list(api) };
  }

  /**
   * Trouble with decisions keeps nothing else waiting.
   * @throws Failure where the cluster takes none from the start, and the login may not approve: one that may list need not
   */
  async #send(api: CsrApi): Promise<void> {
    const { onTrouble, onHealth } = this.#following;
    const { tried, failed } = await this.#approver.send(api);
    if (tried > 0) this.#isStuck = failed.length === tried;
    const [first] = failed;
    if (first === undefined) return;
    if (this.#isStuck && !this.#wasWell && first.trouble instanceof Failure) {
      if (!(await api.mayApprove())) throw first.trouble;
    }
    if (this.#isStuck) onHealth?.(false);
    const told = `${first.name} is not decided: ${first.trouble.message}`;
    if (told !== this.#toldOfDecisions) onTrouble(told);
    this.#toldOfDecisions = told;
  }

  /** How long until something is to be done although nothing happens. */
  get #waitMs(): number {
    const now = performance.now();
    // What is to be tried again at about the same time is so together.
    const tryAt = Math.max(this.#approver.nextTryAt, now + this.#pauseMs);
    return Math.ceil(Math.min(this.#until.deadline, this.#approver.reports.nextDueAt, tryAt) - now);
  }

  /**
   * It begins before anything is decided: an apiserver keeps little of what has happened for those who ask later, that of 1.18
   * the last 100 changes.
   */
  async #watch(place: Place): Promise<void> {
    const lengthMs = (this.#following.watchMs ?? WATCH_MS) * (1 + Math.random());
    const over = new AbortController();
    const watch = place.api.watch(place.version, { lengthMs, signal: over.signal });
    try {
      await this.#follow(new ReadAhead(watch), place);
    } finally {
      over.abort();
    }
  }

  /** @throws SourceTrouble also where it ends before anything could happen, so that there is a pause */
  async #follow(watch: ReadAhead<CsrEvents>, place: Place): Promise<void> {
    let isQuiet = true;
    for (let come: readonly CsrEvents[] | undefined = []; come !== undefined; come = await watch.next(this.#waitMs)) {
      for (const events of come) this.#approver.take(events);
      const { version } = come.at(-1) ?? place;
      const isNews = version !== place.version;
      place.version = version;
      await this.#send(place.api);
      this.#wasWell = true;
      this.#approver.reports.reportOverdue();
      this.#isStuck &&= this.#approver.nextTryAt < Infinity;
      if (come.length > 0 && !this.#isStuck) this.#following.onHealth?.(true);
      if (isNews) this.#troubles = 0;
      isQuiet &&= !isNews;
      if (this.#isOver || this.#approver.mustList) return;
    }
    if (isQuiet && watch.lastedMs < this.#pauseMs) {
      throw new SourceTrouble('it ends a watch at once', { again: true });
    }
  }
}
