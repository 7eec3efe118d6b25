import { dirname, join } from 'node:path';
import { onDisk } from './on-disk.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { replaceFile } from './replace-file.ts';
import { holdMark, markIn, releaseMark } from './run-mark.ts';

const PREFIX = '.bake.lock-';
/** It is written in a moment; another machine's that is older is taken for gone. */
const PATIENCE_MS = 60_000;

/** Where the lock of a description lies: cluster.yaml -> bake.lock, in its folder. */
export function lockFileOf(description: string): string {
  return join(dirname(description), 'bake.lock');
}

/**
 * Writes bake.lock as a whole, or not at all.
 * @throws Failure `output-unwritable`, `disk-full`
 */
export function writeLockFile(path: string, text: string): void {
  const remedy = 'make its folder one that you can write to';
  const mark = holdMark();
  try {
    onDisk({ code: 'output-unwritable', fact: `cannot write ${path}`, remedy }, () => {
      removeLeftovers(dirname(path), (name) => markIn(name, PREFIX), PATIENCE_MS);
      replaceFile(path, text, { fresh: join(dirname(path), `${PREFIX}${mark}`), mode: 0o644 });
    });
  } finally {
    releaseMark(mark);
  }
}
