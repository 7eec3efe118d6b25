import { hostname } from 'node:os';
import { watchPlanned } from '../approve/approve-planned.ts';
import { lead } from '../approve/lead.ts';
import { Metrics } from '../approve/metrics.ts';
import type { NodeReport } from '../approve/node-report.ts';
import type { Inventory } from '../csr/inventory.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { LeaseApi } from '../edges/kubernetes/lease-api.ts';
import type { Connection } from '../edges/kubernetes/connection.ts';
import { serveStatus } from '../edges/status-server.ts';
import { approvingIn, rowOf, tellOfOldBinding, type Audit, type LiveOptions } from './approving.ts';
import type { Context } from './context.ts';
import type { InventorySource } from './inventory-source.ts';
import type { SpentTokens } from './spent-tokens.ts';
import { terminal } from './terminal.ts';

export interface WatchOptions extends LiveOptions {
  readonly leaderElect?: true;
  readonly listen?: { readonly host: string; readonly port: number };
}

/** Where all that may approve in a cluster agree on who does. */
const leaseName = { namespace: 'kube-system', name: 'bake-approver' };

/**
 * Approves in a cluster until a signal comes, while it is the leader where that is wanted, and prints a line whenever a
 * certificate has come or does not come.
 * @param spent undefined where tokens are to be kept
 * @returns the exit code
 * @throws Failure of the connection, of the audit log or `address-unusable`
 */
export async function watchLive(
  inventory: InventorySource,
  connection: Connection,
  audit: Audit,
  options: WatchOptions,
  context: Context,
  spent?: SpentTokens,
): Promise<number> {
  const status = new Status(options, context);
  const watchBy = async (planned: Inventory, signal: AbortSignal): Promise<void> => {
    const work = async (api: KubernetesApi, either: AbortSignal): Promise<void> => {
      terminal(context).talk(`watching ${api.server} for ${planned.plan.serving.size} planned nodes\n`);
      const approving = approvingIn(planned, api, audit, options, context);
      const watching = status.follow({ ...approving, signal: either, patienceMs: options.timeout * 1000 });
      const onReport = (report: NodeReport): void => {
        watching.onReport(report);
        spent?.note(report);
      };
      await Promise.all([watchPlanned({ ...watching, onReport }), tellOfOldBinding(planned.plan, api, context)]);
    };
    status.metrics.isLeader = true;
    try {
      await untilOneEnds(signal, (either) => [
        withApi(connection, either, work),
        ...(spent ? [withApi(connection, either, (api) => spent.removeAsNoted(api, either))] : []),
      ]);
    } finally {
      status.metrics.isLeader = false;
    }
  };
  const watch = (signal: AbortSignal): Promise<void> => asItChanges(inventory, signal, watchBy);
  const end = options.listen === undefined ? undefined : await serveStatus(options.listen, status.pages());
  try {
    await (options.leaderElect ? whileLeader(connection, watch, status, context) : watch(context.signal));
  } catch (error) {
    if (!isEndOf(context.signal, error)) throw error;
  } finally {
    await end?.();
  }
  return exitCodes.done;
}

/** Over connections of its own, which end with it. */
async function withApi(
  connection: Connection,
  signal: AbortSignal,
  work: (api: KubernetesApi, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const api = new KubernetesApi(connection, { signal });
  try {
    await work(api, signal);
  } finally {
    await api.close();
  }
}

/** Whether something ended because the signal said so: also what fails otherwise meanwhile is to be told. */
function isEndOf(signal: AbortSignal, error: unknown): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'));
}

/** All is judged anew whenever there is another inventory. */
async function asItChanges(
  inventory: InventorySource,
  signal: AbortSignal,
  watchBy: (inventory: Inventory, signal: AbortSignal) => Promise<void>,
): Promise<never> {
  for (;;) {
    await untilOneEnds(signal, (either) => [watchBy(inventory.read(), either), inventory.untilChanged(either)]);
  }
}

/**
 * Has all go on side by side until one of them ends.
 * @throws what one of them has failed of; else, where the first to end was stopped by the signal, its reason
 */
async function untilOneEnds(signal: AbortSignal, begin: (either: AbortSignal) => Promise<void>[]): Promise<void> {
  const turn = new AbortController();
  const either = AbortSignal.any([signal, turn.signal]);
  const all = begin(either);
  const first = Promise.race(all);
  await first.catch(() => undefined);
  turn.abort();
  const ends = await Promise.allSettled(all);
  const failed = ends.findIndex((end) => end.status === 'rejected' && !isEndOf(either, end.reason));
  return all[failed] ?? first;
}

type Watching = Parameters<typeof watchPlanned>[0];

/** What can be asked of a process that watches. */
class Status {
  readonly metrics = new Metrics();
  readonly #options: WatchOptions;
  readonly #context: Context;
  #isWorkWell = false;
  /** Undefined where there is none to be kept. */
  #isLeaseWell: boolean | undefined;

  constructor(options: WatchOptions, context: Context) {
    this.#options = options;
    this.#context = context;
  }

  /** Counts and prints what comes of it. */
  follow(approving: Omit<Watching, 'onReport'>): Watching {
    const { metrics } = this;
    return {
      ...approving,
      onDecision: (decision, isDenied) => {
        metrics.countDecision(decision, isDenied);
        approving.onDecision(decision, isDenied);
      },
      onReport: (report) => {
        metrics.countReport(report);
        this.#print(report);
      },
      onHealth: (isWell) => {
        this.#isWorkWell = isWell;
        if (!isWell) this.metrics.countTrouble();
      },
    };
  }

  noteLease(isWell: boolean): void {
    this.#isLeaseWell = isWell;
    if (!isWell) this.metrics.countTrouble();
  }

  /** Who waits to be the leader has no work. */
  get #isReady(): boolean {
    const waits = this.#isLeaseWell !== undefined && !this.metrics.isLeader;
    return (this.#isLeaseWell ?? true) && (waits || this.#isWorkWell);
  }

  #print(report: NodeReport): void {
    const { now, stdout } = this.#context;
    const isJson = this.#options.output === 'json';
    const line = isJson ? JSON.stringify({ time: now(), ...report }) : rowOf(report).join('  ');
    stdout.write(`${line.trimEnd()}\n`);
  }

  /** Ready is who reaches the apiserver, also one that waits to be the leader. */
  pages(): Parameters<typeof serveStatus>[1] {
    const ok = { status: 200, text: 'ok\n' } as const;
    return {
      '/healthz': () => ok,
      '/readyz': () => (this.#isReady ? ok : { status: 503, text: 'the apiserver does not answer\n' }),
      '/metrics': () => ({ status: 200, text: this.metrics.toText() }),
    };
  }
}

/** Over connections of its own: a renewal waits for no approval, and the Lease is freed after the signal. */
async function whileLeader(
  connection: Connection,
  work: (term: AbortSignal) => Promise<void>,
  status: Status,
  context: Context,
): Promise<void> {
  const { now, random, signal } = context;
  const { talk } = terminal(context);
  const api = new KubernetesApi(connection, { signal: new AbortController().signal, stallMs: LEASE_STALL_MS });
  const identity = `${hostname()}_${Buffer.from(random(8)).toString('hex')}`;
  talk(`${identity} waits to be the leader\n`);
  try {
    await lead(
      {
        lease: new LeaseApi(api, leaseName),
        identity,
        onLeader: (isLeader) => talk(`${identity} is ${isLeader ? 'now' : 'no longer'} the leader\n`),
        onTrouble: (message) => talk(`${api.server}: ${message}; trying again\n`),
        onHealth: (isWell) => status.noteLease(isWell),
        now,
        signal,
      },
      work,
    );
  } finally {
    await api.close();
  }
}

/** As client-go has it, half of the time in which a renewal has to work. */
const LEASE_STALL_MS = 5000;
