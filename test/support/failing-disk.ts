import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** The calls of node:fs that change something on the disk. */
const changes = [
  'chmodSync',
  'fchmodSync',
  'fsyncSync',
  'mkdirSync',
  'openSync',
  'renameSync',
  'rmdirSync',
  'rmSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
] as const;

export type Change = (typeof changes)[number];

/**
 * Runs some work while the calls that change the disk are counted, and fail before they do anything where `refuse`
 * returns an error. Modules that import functions by name see it too.
 * @param refuse of the number of the call, from 1
 * @returns how many calls there were
 */
export async function onFailingDisk(
  refuse: (number: number, change: Change) => Error | undefined,
  work: () => Promise<unknown>,
): Promise<number> {
  let number = 0;
  const real = changes.map((name) => [name, fs[name]] as const);
  const mutable = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, call] of real) {
    mutable[name] = (...args) => {
      const error = refuse(++number, name);
      if (error !== undefined) throw error;
      return (call as (...args: unknown[]) => unknown)(...args);
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
  } finally {
    Object.assign(fs, Object.fromEntries(real));
    syncBuiltinESMExports();
  }
  return number;
}

/** What the system would say. */
export function systemError(code: 'ENOSPC' | 'EROFS', syscall: string): Error {
  return Object.assign(new Error(`${code}: refused by the test, ${syscall}`), { code, syscall });
}
