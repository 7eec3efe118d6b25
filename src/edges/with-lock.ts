import { mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ageOf, holdMark, isAbandoned, releaseMark } from './run-mark.ts';

/** What a lock guards takes milliseconds; another machine's or container's that is older is taken for gone. */
const patienceMs = 10_000;

/**
 * Runs some work while no other process runs work under the same lock. The lock is a folder in which each process
 * raises a flag of its own, a file, and looks whether it is the only one; if not, it takes the flag down and tries again.
 * Of two that try at once at least one sees the other. The flag of a killed process is taken away by its name, which
 * no other flag has, so that nobody can lose a lock to a neighbour that cleans up late.
 * @param busy what to throw when others hold the lock for longer than `waitMs`
 */
export async function withLock<T>(
  folder: string,
  { waitMs, busy, signal }: { waitMs: number; busy: () => Error; signal: AbortSignal },
  work: () => T,
): Promise<T> {
  const mark = holdMark();
  const deadline = performance.now() + waitMs;
  try {
    while (!raiseFlag(folder, mark)) {
      if (performance.now() > deadline) throw busy();
      // Of uneven length, or two that try in step would see each other for ever.
      await setTimeout(10 + Math.random() * 40, undefined, { signal });
    }
    try {
      return work();
    } finally {
      unlinkSync(join(folder, mark));
      // Not when others wait: theirs are the other flags.
      unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(folder));
    }
  } finally {
    releaseMark(mark);
  }
}

/** @returns whether the lock is ours now */
function raiseFlag(folder: string, mark: string): boolean {
  unless(['EEXIST'], () => mkdirSync(folder, { mode: 0o700 }));
  // The folder is gone when another process that let go of the lock has removed it in between.
  if (!unless(['ENOENT'], () => writeFileSync(join(folder, mark), '', { flag: 'wx', mode: 0o600 }))) return false;
  const others = readdirSync(folder).filter((flag) => flag !== mark);
  if (others.length === 0) return true;
  unlinkSync(join(folder, mark));
  for (const flag of others) {
    const path = join(folder, flag);
    if (isAbandoned(flag, () => ageOf(path), patienceMs)) unless(['ENOENT'], () => unlinkSync(path));
  }
  return false;
}

/** @returns whether it was done, false when it failed in one of the ways named */
function unless(codes: readonly string[], step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
