import { Failure } from '../diagnostics/failure.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';

/** What may pass. */
export type Trouble = SourceTrouble | Failure;

/** What passes for whoever has been let in before: an apiserver that starts refuses everybody, a name server may be away. */
const passing = ['cluster-refuses', 'cluster-untrusted', 'kubeconfig-unusable'];

/** First pause after trouble; it doubles each time. */
export const PAUSE_MS = 1000;
/** Longest pause, as a multiple of the first. */
const MAX_PAUSES = 15;

/**
 * How long to leave an apiserver alone. Never the same time: one that starts anew is not to be overrun.
 * @param times in a row that there was trouble
 */
export function pauseAfter(trouble: Trouble, times: number, firstMs = PAUSE_MS): number {
  const wanted = trouble instanceof SourceTrouble ? trouble.retryAfterMs : 0;
  const pause = firstMs * Math.min(2 ** (times - 1), MAX_PAUSES);
  return Math.max(wanted, pause) * (1 + Math.random() / 2);
}

export function isTrouble(error: unknown, wasWell: boolean): error is Trouble {
  return error instanceof SourceTrouble || (wasWell && error instanceof Failure && passing.includes(error.code));
}
