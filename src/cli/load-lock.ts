import { resolve } from 'node:path';
import { sha256 } from '../cluster/sha256.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { lockFileOf } from '../edges/lock-file.ts';
import { exists } from '../edges/write-new-files.ts';
import { readTextFile } from '../edges/read-text-file.ts';
import { applyLock } from '../lock/apply-lock.ts';
import { parseLock } from '../lock/lock-text.ts';
import type { Lock } from '../lock/lock.ts';
import type { Context } from './context.ts';
import type { LoadedDescription } from './load-description.ts';

export interface LoadedLock {
  readonly text: string;
  readonly lock: Lock;
}

/**
 * Reads the bake.lock beside a description; undefined where there is none.
 * @throws Failure `lock-damaged`
 */
export function loadLock(file: string, context: Context): LoadedLock | undefined {
  const path = lockFileOf(resolve(context.cwd, file));
  if (!exists(path)) return undefined;
  const read = readTextFile(path);
  if (read.kind === 'text') return { text: read.text, lock: parseLock(lockFileOf(file), read.text) };
  throw new Failure(
    'lock-damaged',
    `${lockFileOf(file)} ${read.reason}; make it readable, or remove it and run \`bake lock\``,
    exitCodes.description,
  );
}

/**
 * A description whose cluster has the digests of its lock, where there is one; the lock becomes one of the inputs.
 * @throws Failure `lock-stale`
 */
export function withLockOf(loaded: LoadedDescription, found: LoadedLock | undefined): LoadedDescription {
  if (found === undefined) return loaded;
  const { text, lock } = found;
  return {
    ...loaded,
    cluster: applyLock(loaded.cluster, lock, sha256(text)),
    inputs: new Map([...loaded.inputs, ['bake.lock', text]]),
  };
}
