import { dirname, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { lockFileOf, writeLockFile } from '../edges/lock-file.ts';
import { formatLock } from '../lock/lock-text.ts';
import type { Lock } from '../lock/lock.ts';
import type { Context } from './context.ts';

/**
 * Makes the lock of a description that has none yet.
 * @throws Failure `lock-failed`, or of the disk
 */
export async function writeFirstLock(file: string, cluster: Cluster, context: Context): Promise<Lock> {
  const { makeLock } = await import('../fetch/make-lock.ts');
  const path = resolve(context.cwd, file);
  const places = { folder: dirname(path), mirrors: cluster.downloads.mirrors };
  const lock = await makeLock(cluster, undefined, places, context);
  writeLockFile(lockFileOf(path), formatLock(lock));
  context.stderr.write(`there was no ${lockFileOf(file)}: wrote it; keep it with the description\n`);
  return lock;
}
