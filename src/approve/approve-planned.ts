import { setTimeout } from 'node:timers/promises';
import { servingSigner } from '../csr/judge-csr.ts';
import type { CsrApi } from '../edges/kubernetes/csr-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { Approver, type ApproverOptions } from './approver.ts';
import type { NodeReport } from './node-report.ts';
import { isTrouble, type Trouble } from './trouble.ts';

export interface Approving extends Omit<ApproverOptions, 'onReport' | 'patienceMs'> {
  /** Called until it succeeds, and again whenever all requests have to be listed. */
  readonly open: () => Promise<CsrApi>;
  /** Gets what keeps the cluster from answering, once as long as it stays the same. */
  readonly onTrouble: (message: string) => void;
  /** The cluster answers, and nothing is left to send; called again and again as long as that is so. */
  readonly onWell?: () => void;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly pauseMs?: number;
  readonly watchMs?: number;
}

/** First pause after trouble; it doubles each time. */
const PAUSE_MS = 1000;
/** Longest pause, as a multiple of the first. */
const MAX_PAUSES = 15;
/** How long a watch goes on, at least; one that is silent because its connection is dead is found out so. */
const WATCH_MS = 60_000;

/**
 * Approves what is planned until each planned node has its serving certificate, or the time is up; at least once over.
 * @returns how far each node has come
 * @throws SourceTrouble where the cluster has not answered once; or as CsrApi
 */
export async function approvePlanned(approving: Approving & { readonly timeoutMs: number }): Promise<NodeReport[]> {
  const deadline = performance.now() + approving.timeoutMs;
  const approver = new Approver({ ...approving, onReport: () => undefined, patienceMs: Infinity });
  await follow(approver, approving, { deadline, isDone: () => approver.reports.areComplete });
  return approver.reports.all();
}

/**
 * Approves what is planned, on and on.
 * @throws what ends it: the signal; Failure of whoever takes decisions; as CsrApi where the cluster has refused from the start
 */
export async function watchPlanned(
  approving: Approving & Pick<ApproverOptions, 'onReport' | 'patienceMs'>,
): Promise<void> {
  await follow(new Approver(approving), approving, { deadline: Infinity, isDone: () => false });
}

interface Until {
  /** As performance.now() has it. */
  readonly deadline: number;
  readonly isDone: () => boolean;
}

/** Where a watch goes on. */
interface Place {
  readonly api: CsrApi;
  version: string;
}

/** Lists what there is and then watches what comes, with pauses after trouble. Only a list that is too old is read again. */
async function follow(approver: Approver, approving: Approving, { deadline, isDone }: Until): Promise<void> {
  const { open, onTrouble, signal, pauseMs = PAUSE_MS, watchMs = WATCH_MS } = approving;
  const { reports } = approver;
  let place: Place | undefined;
  let wasWell = false;
  let trouble: Trouble | undefined;
  let troubles = 0;

  const listAnew = async (): Promise<Place> => {
    const api = await open();
    return { api, version: await approver.list(api) };
  };
  const watch = async (from: Place): Promise<void> => {
    const started = performance.now();
    const endMs = Math.min(deadline, reports.nextDueAt) - started;
    const lengthMs = watchMs * (1 + Math.random());
    let isQuiet = true;
    for await (const events of from.api.watch(servingSigner, from.version, { lengthMs, endMs })) {
      approver.take(events);
      from.version = events.version;
      await approver.send(from.api);
      troubles = 0;
      isQuiet = false;
      if (isDone() || reports.nextDueAt < started + endMs) return;
    }
    if (isQuiet && performance.now() - started < Math.min(pauseMs, endMs)) {
      throw new SourceTrouble('it ends a watch at once', { again: true });
    }
  };

  for (;;) {
    try {
      place ??= await listAnew();
      await approver.send(place.api);
      wasWell = true;
      approving.onWell?.();
      reports.reportOverdue();
      if (isDone() || performance.now() >= deadline) return;
      await watch(place);
      troubles = 0;
      continue;
    } catch (error) {
      if (!isTrouble(error, wasWell)) throw error;
      if (troubles === 0 || error.message !== trouble?.message) onTrouble(error.message);
      trouble = error;
      troubles += 1;
      if (!(error instanceof SourceTrouble) || error.missing) place = undefined;
    }
    const left = deadline - performance.now();
    if (left <= 0) break;
    await setTimeout(Math.min(left, pauseAfter(trouble, troubles, pauseMs)), undefined, { signal });
  }
  if (!wasWell) throw trouble;
}

/** Never all at the same time: an apiserver that starts anew is not to be overrun. */
function pauseAfter(trouble: Trouble, troubles: number, pauseMs: number): number {
  const wanted = trouble instanceof SourceTrouble ? trouble.retryAfterMs : 0;
  return Math.max(wanted, pauseMs * Math.min(2 ** (troubles - 1), MAX_PAUSES)) * (1 + Math.random() / 2);
}
