import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onDisk } from './on-disk.ts';
import { replaceFile } from './replace-file.ts';
import { holdMark, isAbandoned, markPattern, releaseMark } from './run-mark.ts';

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
      removeLeftovers(dirname(path));
      replaceFile(path, text, { fresh: join(dirname(path), `${PREFIX}${mark}`), mode: 0o644 });
    });
  } finally {
    releaseMark(mark);
  }
}

const PREFIX = '.bake.lock-';
/** It is written in a moment; another machine's that is older is taken for gone. */
const PATIENCE_MS = 60_000;

function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const mark = new RegExp(`^\\.bake\\.lock-(${markPattern})$`).exec(name)?.[1];
    const age = () => Date.now() - (lstatSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (mark !== undefined && isAbandoned(mark, age, PATIENCE_MS)) rmSync(join(folder, name), { force: true });
  }
}
