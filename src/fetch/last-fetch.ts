import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import type { DigestText } from '../lock/lock.ts';
import type { Cache } from './cache.ts';

interface Remembered {
  readonly name: string;
  readonly digest: DigestText;
  readonly size: number;
}

/**
 * Which files the last complete fetch of a description was of, if neither it nor its lock changed since and all of them
 * are in the cache. It saves reading both, which takes longer than looking at the files.
 * @param inputs the bytes of the description and its lock, and whatever else the answer depends on
 */
export function recallFetch(
  cache: Cache,
  description: string,
  inputs: readonly (string | Uint8Array)[],
): ReadonlyMap<string, string> | undefined {
  try {
    const { key, files } = JSON.parse(readFileSync(noteOf(cache, description), 'utf8')) as {
      key: string;
      files: Remembered[];
    };
    if (key !== keyOf(inputs) || !files.every(({ digest, size }) => cache.has(digest, size))) return undefined;
    return new Map(files.map(({ name, digest }) => [name, cache.pathOf(digest)]));
  } catch {
    // None, or none that can be read: then the long way.
    return undefined;
  }
}

/** Notes a complete fetch for recallFetch(). A note that cannot be written is none: no run needs it. */
export function rememberFetch(
  cache: Cache,
  description: string,
  inputs: readonly (string | Uint8Array)[],
  files: readonly Remembered[],
): void {
  const path = noteOf(cache, description);
  try {
    mkdirSync(join(cache.folder, 'fetched'), { recursive: true });
    writeFileSync(`${path}-${pid}`, `${JSON.stringify({ key: keyOf(inputs), files })}\n`);
    renameSync(`${path}-${pid}`, path);
  } catch {
    // It only makes the next run quicker.
  }
}

function noteOf(cache: Cache, description: string): string {
  return join(cache.folder, 'fetched', keyOf([description]).slice(0, 32));
}

function keyOf(inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(createHash('sha256').update(input).digest());
  return hash.digest('hex');
}
