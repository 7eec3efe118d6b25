import { setMaxListeners } from 'node:events';
import pMap from 'p-map';
import { Failure } from '../diagnostics/failure.ts';
import { Sources, usualPatience } from '../edges/sources.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { digestOf, type LockedArtifact } from '../lock/lock.ts';
import type { Cache } from './cache.ts';
import { download } from './download.ts';
import { megabytes, Progress } from './progress.ts';
import { shown, sourcesOf, type Places } from './sources-of.ts';
import { NoSource, type Refusal } from './try-sources.ts';

/** More at once would share the same line, and few servers like more. */
export const CONCURRENCY = 6;

/** @throws Failure `fetch-failed` with every file that did not come, and why */
export async function downloadAll(
  artifacts: readonly LockedArtifact[],
  cache: Cache,
  places: Places,
  { env, stderr, signal, patience = usualPatience }: Surroundings,
): Promise<void> {
  const reader = new Sources(env, patience);
  const total = artifacts.reduce((sum, { size }) => sum + size, 0);
  const count = `${artifacts.length} ${artifacts.length === 1 ? 'file' : 'files'}`;
  const progress = new Progress(stderr, `fetching ${count}`, total);
  const warnings: string[] = [];
  const failures: { name: string; refusals: readonly Refusal[] }[] = [];
  try {
    await untilAllDone(signal, (all) =>
      pMap(
        // The longest first, so that it is not the only one left at the end.
        [...artifacts].sort((a, b) => b.size - a.size),
        async (artifact) => {
          const sources = sourcesOf(artifact.url, places, true);
          const wanted = { sources, digest: digestOf(artifact), size: artifact.size };
          const downloader = { cache, reader, signal: all, onBytes: (bytes: number) => progress.add(bytes) };
          try {
            const { refusals } = await download(wanted, downloader);
            warnings.push(...warningsOf(artifact.name, refusals));
            progress.say(`fetched ${artifact.name}, ${megabytes(artifact.size)}`);
          } catch (error) {
            if (!(error instanceof NoSource)) throw error;
            failures.push({ name: artifact.name, refusals: error.refusals });
          }
        },
        { concurrency: CONCURRENCY, signal: all },
      ),
    );
  } finally {
    progress.end();
    await reader.close();
  }
  for (const warning of warnings.sort()) stderr.write(warning);
  if (failures.length === 0) return;
  const others = failures.length < artifacts.length ? 'the others are in the cache: ' : '';
  const remedy = `${others}see to one of the sources, and run again`;
  const message = `${failures.length} of ${count} could not be fetched; ${remedy}${listed(failures)}`;
  throw new Failure('fetch-failed', message);
}

/** What a good source made up for, unless it is only that a mirror does not have everything. */
export function warningsOf(name: string, refusals: readonly Refusal[]): string[] {
  return refusals
    .filter(({ missing }) => !missing)
    .map(({ source, reason }) => `warning: ${name} is not from ${shown(source)}: ${reason}\n`);
}

/** Each file that did not come, with the places that it did not come from; files that share them share the lines. */
export function listed(failures: readonly { name: string; refusals: readonly Refusal[] }[]): string {
  const names = new Map<string, string[]>();
  for (const { name, refusals } of [...failures].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const sources = refusals.map(({ source, reason }) => `\n    ${shown(source)}: ${reason}`).join('');
    names.set(sources, [...(names.get(sources) ?? []), name]);
  }
  return [...names].map(([sources, those]) => `\n  ${those.join(', ')}${sources}`).join('');
}

/** Runs work that has a signal of its own, so that what still runs ends when one part fails for good. */
export async function untilAllDone<T>(signal: AbortSignal, work: (all: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const all = AbortSignal.any([signal, controller.signal]);
  setMaxListeners(0, all);
  try {
    return await work(all);
  } finally {
    controller.abort();
  }
}
