import { resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { lockFileOf, writeLockFile } from '../edges/lock-file.ts';
import { formatLock } from '../lock/lock-text.ts';
import type { Context } from './context.ts';
import type { LoadedLock } from './load-lock.ts';
import { placesOf } from './places-of.ts';

/**
 * Makes the lock of a description that has none yet.
 * @throws Failure `lock-failed`, or of the disk
 */
export async function writeFirstLock(file: string, cluster: Cluster, context: Context): Promise<LoadedLock> {
  const { makeLock } = await import('../fetch/make-lock.ts');
  const lock = await makeLock(cluster, undefined, placesOf(file, cluster, context), context);
  const text = formatLock(lock);
  writeLockFile(lockFileOf(resolve(context.cwd, file)), text);
  context.stderr.write(`there was no ${lockFileOf(file)}: wrote it; keep it with the description\n`);
  return { text, lock };
}
