import { setTimeout } from 'node:timers/promises';
import type { LeaseApi, LeaseSpec } from '../edges/kubernetes/lease-api.ts';
import { isTrouble } from './trouble.ts';

/** In milliseconds, and client-go's: https://github.com/kubernetes/component-base/blob/v0.37.2/config/v1alpha1/defaults.go */
export const leaseTiming = { lease: 15_000, renew: 10_000, retry: 2000 };

export interface Leading {
  readonly lease: LeaseApi;
  /** Nobody else's, also not that of an earlier run. */
  readonly identity: string;
  /** Gets whether this is the leader, when it has become so and when it is so no longer. */
  readonly onLeader: (isLeader: boolean) => void;
  /** Gets what keeps the Lease from being read or renewed, once as long as it stays the same. */
  readonly onTrouble: (message: string) => void;
  /** Gets, again and again, whether the Lease could be read or renewed. */
  readonly onHealth: (isWell: boolean) => void;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly timing?: typeof leaseTiming;
}

/**
 * Works while it is the leader, by the rules of client-go's leader election: a Lease that has not changed for as long as it
 * says, by the clock of who looks, is free; a leader that has not renewed it in time stops before that; and who ends frees
 * it. https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
 * @param work ends when its signal says so
 * @throws the signal's reason; what work() throws; Failure where the cluster has refused from the start
 */
export async function lead(leading: Leading, work: (signal: AbortSignal) => Promise<void>): Promise<never> {
  const election = new Election(leading);
  for (;;) {
    const since = await election.win();
    leading.onLeader(true);
    try {
      await whileLeader(election, since, leading.signal, work);
    } finally {
      leading.onLeader(false);
    }
  }
}

/** Returns when another may be the leader; then work has ended. */
async function whileLeader(
  election: Election,
  since: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const term = new AbortController();
  const end = (): void => term.abort(signal.reason);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const working = work(term.signal);
  const renewing = election.renew(since, term.signal);
  try {
    await Promise.race([working, renewing]);
  } finally {
    signal.removeEventListener('abort', end);
    term.abort('the lease is lost');
    await Promise.allSettled([working, renewing]);
    await election.release();
  }
}

class Election {
  readonly #leading: Leading;
  readonly #timing: typeof leaseTiming;
  /** The Lease as it was seen last, and since when it is so. */
  #seen = { text: '', at: 0 };
  #wasWell = false;
  #trouble = '';

  constructor(leading: Leading) {
    this.#leading = leading;
    this.#timing = leading.timing ?? leaseTiming;
  }

  /** Tries until it is the leader. @returns since when: the Lease was written then at the earliest, and runs from there */
  async win(): Promise<number> {
    const { signal } = this.#leading;
    for (;;) {
      const started = performance.now();
      if (await this.#try()) return started;
      await setTimeout(this.#timing.retry * (1 + 1.2 * Math.random()), undefined, { signal });
    }
  }

  /** Renews until that has not worked for too long, from `since` on. */
  async renew(since: number, signal: AbortSignal): Promise<void> {
    const { renew, retry } = this.#timing;
    for (let renewed = since; ;) {
      await setTimeout(retry, undefined, { signal });
      const started = performance.now();
      const left = renewed + renew - started;
      const tried = new AbortController();
      const either = AbortSignal.any([signal, tried.signal]);
      const tooLate = setTimeout(Math.max(left, 0), false, { signal: either });
      const isRenewed = await Promise.race([this.#try(), tooLate]).finally(() => tried.abort());
      if (isRenewed) renewed = started;
      else if (performance.now() >= renewed + renew) return;
    }
  }

  /** Whether the Lease is ours now. Trouble is told, and no. */
  async #try(): Promise<boolean> {
    const { onTrouble, onHealth, signal } = this.#leading;
    signal.throwIfAborted();
    try {
      const isOurs = await this.#acquireOrRenew();
      this.#wasWell = true;
      this.#trouble = '';
      onHealth(true);
      return isOurs;
    } catch (error) {
      if (!isTrouble(error, this.#wasWell)) throw error;
      onHealth(false);
      if (error.message !== this.#trouble) onTrouble(error.message);
      this.#trouble = error.message;
      return false;
    }
  }

  async #acquireOrRenew(): Promise<boolean> {
    const { lease: api, identity } = this.#leading;
    const lease = await api.read();
    if (lease === undefined) return api.create(this.#spec({}));
    const text = JSON.stringify(lease.spec);
    if (text !== this.#seen.text) this.#seen = { text, at: performance.now() };
    const { holderIdentity, leaseDurationSeconds } = lease.spec;
    const isHeld = (holderIdentity ?? '') !== '' && holderIdentity !== identity;
    if (isHeld && performance.now() < this.#seen.at + (leaseDurationSeconds ?? 0) * 1000) return false;
    return api.replace(lease, this.#spec(lease.spec));
  }

  /** The Lease in our hands, after what it was. */
  #spec(before: LeaseSpec): LeaseSpec {
    const { identity } = this.#leading;
    const renewTime = this.#time();
    const isOurs = before.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#timing.lease / 1000),
      acquireTime: isOurs ? before.acquireTime : renewTime,
      renewTime,
      leaseTransitions: before.holderIdentity === undefined ? 0 : (before.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
    };
  }

  /** Lets the next one begin at once; where that does not work, the Lease runs out by itself. */
  async release(): Promise<void> {
    const { lease: api, identity } = this.#leading;
    try {
      const lease = await api.read();
      if (lease?.spec.holderIdentity !== identity) return;
      const time = this.#time();
      const free = { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
      await api.replace(lease, { ...lease.spec, ...free });
    } catch (error) {
      if (!isTrouble(error, true)) throw error;
    }
  }

  /** A MicroTime. */
  #time(): string {
    return this.#leading.now().toISOString().replace('Z', '000Z');
  }
}
