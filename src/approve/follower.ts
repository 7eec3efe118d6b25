import { setTimeout } from 'node:timers/promises';
import { servingSigner } from '../csr/judge-csr.ts';
import type { CsrApi } from '../edges/kubernetes/csr-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Approver } from './approver.ts';
import { isTrouble, type Trouble } from './trouble.ts';

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

/** First pause after trouble; it doubles each time. */
const PAUSE_MS = 1000;
/** Longest pause, as a multiple of the first. */
const MAX_PAUSES = 15;
/** How long a watch goes on, at least; one that is silent because its connection is dead is found out so. */
const WATCH_MS = 60_000;

/** Where a watch goes on. */
interface Place {
  readonly api: CsrApi;
  version: string;
}

/**
 * Gives an Approver all requests of a cluster, and then what happens to them, with pauses after trouble. They are listed
 * again only where the place in history is gone, or the login was refused.
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
      if (this.#troubles === 0) continue;
      await setTimeout(Math.min(left, this.#pause()), undefined, { signal: this.#following.signal });
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
    const { deadline, isDone } = this.#until;
    this.#place ??= await this.#list();
    await this.#approver.send(this.#place.api);
    this.#wasWell = true;
    this.#approver.reports.reportOverdue();
    if (isDone() || performance.now() >= deadline) return true;
    await this.#watch(this.#place);
    this.#troubles = 0;
    return isDone();
  }

  async #list(): Promise<Place> {
    const api = await this.#following.open();
    return { api, version: await this.#approver.list(api) };
  }

  /** @throws SourceTrouble also where it ends before anything could happen, so that there is a pause */
  async #watch(place: Place): Promise<void> {
    const { reports } = this.#approver;
    const started = performance.now();
    const endsAt = Math.min(this.#until.deadline, reports.nextDueAt);
    const lengthMs = (this.#following.watchMs ?? WATCH_MS) * (1 + Math.random());
    let isQuiet = true;
    const span = { lengthMs, endMs: endsAt - started };
    for await (const events of place.api.watch(servingSigner, place.version, span)) {
      this.#approver.take(events);
      const isNews = events.version !== place.version;
      place.version = events.version;
      await this.#approver.send(place.api);
      this.#following.onHealth?.(true);
      if (isNews) this.#troubles = 0;
      isQuiet &&= !isNews;
      if (this.#until.isDone() || reports.nextDueAt < endsAt) return;
    }
    if (isQuiet && performance.now() < Math.min(started + this.#pauseMs, endsAt)) {
      throw new SourceTrouble('it ends a watch at once', { again: true });
    }
  }

  /** Never all at the same time: an apiserver that starts anew is not to be overrun. */
  #pause(): number {
    const wanted = this.#trouble instanceof SourceTrouble ? this.#trouble.retryAfterMs : 0;
    const pause = this.#pauseMs * Math.min(2 ** (this.#troubles - 1), MAX_PAUSES);
    return Math.max(wanted, pause) * (1 + Math.random() / 2);
  }
}
