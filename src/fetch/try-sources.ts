import { setTimeout } from 'node:timers/promises';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Patience } from '../edges/sources.ts';

/** Where a file was looked for in vain, and why it did not come from there. */
export interface Refusal {
  readonly source: string;
  readonly reason: string;
  /** It has no such file, which is nothing to wonder about in a mirror. */
  readonly missing: boolean;
}

export class NoSource extends Error {
  override readonly name = 'NoSource';
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[]) {
    super(refusals.map(({ source, reason }) => `${source}: ${reason}`).join('\n'));
    this.refusals = refusals;
  }
}

/** The longest time that a source may ask to be left alone for. */
const MAX_PAUSE_MS = 60_000;

/**
 * Tries one source after the other, each as long as trying again may help. (p-retry counts attempts; here those that
 * brought something do not count, so that a poor line is not given up as long as it moves.)
 * @param attempt throws SourceTrouble
 * @param progress bytes that are there; more of them than ever before, by a megabyte, is worth more patience
 * @throws NoSource
 */
export async function trySources<T>(
  sources: readonly string[],
  { attempts, pauseMs }: Patience,
  signal: AbortSignal,
  attempt: (source: string) => Promise<T>,
  progress: () => number = () => 0,
): Promise<{ readonly value: T; readonly refusals: readonly Refusal[] }> {
  const refusals: Refusal[] = [];
  let most = progress();
  for (const source of sources) {
    for (let failed = 0; ;) {
      signal.throwIfAborted();
      try {
        return { value: await attempt(source), refusals };
      } catch (error) {
        if (!(error instanceof SourceTrouble)) throw error;
        if (progress() >= most + MEGABYTE) {
          most = progress();
          failed = 0;
        }
        failed++;
        if (!error.again || failed >= attempts) {
          const times = failed > 1 ? ` (${failed} attempts)` : '';
          refusals.push({ source, reason: `${error.message}${times}`, missing: error.missing });
          break;
        }
        // Uneven, or many that were refused together would come back together.
        const pause = pauseMs * 2 ** (failed - 1) * (0.75 + Math.random() / 2);
        await setTimeout(Math.min(MAX_PAUSE_MS, Math.max(pause, error.retryAfterMs)), undefined, { signal });
      }
    }
  }
  throw new NoSource(refusals);
}

const MEGABYTE = 1 << 20;
