import { lstatSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { removeTree } from './remove-tree.ts';
import { ageOf, isAbandoned, markIn } from './run-mark.ts';

/**
 * Removes from a folder what runs that are gone have left.
 * @param markOf the mark in a name; undefined where no run made it
 * @param isUsed whether a name whose run is gone is to stay
 */
export function removeLeftovers(
  folder: string,
  markOf: (name: string) => string | undefined,
  patienceMs: number,
  isUsed: (name: string) => boolean = () => false,
): void {
  for (const name of readdirSync(folder)) {
    const mark = markOf(name);
    const path = join(folder, name);
    if (mark === undefined || !isAbandoned(mark, () => ageOf(path), patienceMs)) continue;
    // Asked only now: while its run lived, that might have taken it into use after the question.
    if (!isUsed(name)) removeTree(path);
  }
}

/**
 * The same for the folder of temporary files, where other people's things lie, too.
 * @param prefix what stands before the mark
 */
export function removeTemporaryLeftovers(prefix: string, patienceMs: number): void {
  removeLeftovers(tmpdir(), (name) => (isOurs(join(tmpdir(), name)) ? markIn(name, prefix) : undefined), patienceMs);
}

function isOurs(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === getuid?.();
}
