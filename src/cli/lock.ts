import { resolve } from 'node:path';
import { exitCodes } from '../diagnostics/failure.ts';
import { lockFileOf, writeLockFile } from '../edges/lock-file.ts';
import { refuseStale } from '../lock/apply-lock.ts';
import { findLacks, findLeftovers } from '../lock/compare-lock.ts';
import { formatLock } from '../lock/lock-text.ts';
import type { Lock } from '../lock/lock.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { loadLock } from './load-lock.ts';
import { placesOf } from './places-of.ts';
import { printJson } from './print-json.ts';

interface LockOptions {
  readonly check?: true;
  readonly update?: true;
  readonly json?: true;
}

/**
 * Writes bake.lock beside a description, or with `check` says whether it is up to date.
 * @returns the exit code
 * @throws Failure `lock-stale`, `lock-damaged`, `lock-failed`, or of the disk
 */
export async function lockCommand(file: string, options: LockOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(file, options, context);
  if (loaded === undefined) return exitCodes.description;
  const { cluster } = loaded;
  const before = loadLock(file, context);
  const name = lockFileOf(file);
  if (options.check) {
    const lacks = before === undefined ? [`there is no ${name}`] : findLacks(cluster, before.lock);
    refuseStale([...lacks, ...(before === undefined ? [] : findLeftovers(cluster, before.lock))]);
    if (options.json) printJson({ good: true, file, lock: name, changed: false, ...summaryOf(before?.lock) }, context);
    else context.stderr.write(`${name} is up to date\n`);
    return exitCodes.done;
  }

  const { makeLock } = await import('../fetch/make-lock.ts');
  const kept = options.update ? undefined : before?.lock;
  const lock = await makeLock(cluster, kept, placesOf(file, cluster, context), context);
  const text = formatLock(lock);
  const changed = text !== before?.text;
  if (changed) writeLockFile(lockFileOf(resolve(context.cwd, file)), text);
  const { artifacts } = lock;
  if (options.json) printJson({ good: true, file, lock: name, changed, ...summaryOf(lock) }, context);
  else if (changed) context.stderr.write(`wrote ${name}: ${artifacts.length} downloads\n`);
  else context.stderr.write(`${name} is up to date: ${artifacts.length} downloads\n`);
  return exitCodes.done;
}

function summaryOf(lock: Lock | undefined) {
  const { artifacts = [], sandboxImage, ami } = lock ?? {};
  const bytes = artifacts.reduce((sum, { size }) => sum + size, 0);
  return { artifacts: artifacts.length, bytes, sandboxImage: sandboxImage?.digest, ami: ami?.id };
}
