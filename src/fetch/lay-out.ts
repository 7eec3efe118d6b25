import { copyFileSync, linkSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { removeLeftovers } from '../edges/remove-leftovers.ts';
import { removeTree } from '../edges/remove-tree.ts';
import { holdMark, markIn, releaseMark } from '../edges/run-mark.ts';
import { syncFolder } from '../edges/sync-folder.ts';

/** It takes moments; another machine's that is older is taken for gone. */
const PATIENCE_MS = 3_600_000;

/**
 * Puts files of the cache into a folder by their names, all or none: as further names of the same files where the file
 * system allows it, else as copies. A folder that holds anything else is left alone.
 * @throws Failure `output-not-ours`, `output-unwritable`, `disk-full`
 */
export function layOut(files: ReadonlyMap<string, string>, folder: string, ours: ReadonlySet<string>): void {
  const parent = dirname(folder);
  const prefix = `.${basename(folder)}-`;
  const trouble: DiskTrouble = {
    code: 'output-unwritable',
    fact: `cannot write ${folder}`,
    remedy: `name another folder with -o, or make ${parent} one that you can write to`,
  };
  const mark = holdMark();
  const fresh = join(parent, `${prefix}new-${mark}`);
  const old = join(parent, `${prefix}old-${mark}`);
  try {
    onDisk(trouble, () => {
      mkdirSync(parent, { recursive: true });
      removeLeftovers(parent, (name) => markIn(name, prefix, '(?:new|old)-'), PATIENCE_MS);
      const replaces = refuseForeign(folder, ours);
      mkdirSync(fresh);
      for (const [name, path] of files) linkOrCopy(path, join(fresh, name));
      syncFolder(fresh);
      if (replaces) renameSync(folder, old);
      renameSync(fresh, folder);
      syncFolder(parent);
      if (replaces) removeTree(old);
    });
  } catch (error) {
    removeTree(fresh);
    if (exists(old) && !exists(folder)) renameSync(old, folder);
    throw error;
  } finally {
    releaseMark(mark);
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** @returns whether there is a folder that may be replaced */
function refuseForeign(folder: string, ours: ReadonlySet<string>): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const foreign = found.isDirectory() ? readdirSync(folder).find((name) => !ours.has(name)) : undefined;
  if (found.isDirectory() && foreign === undefined) return true;
  const what = foreign === undefined ? 'no folder' : `a folder with ${foreign} in it`;
  const message = `${folder} is ${what}, which bake did not make, and is left alone; move it away, or name another folder with -o`;
  throw new Failure('output-not-ours', message);
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Another file system, or one without links.
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    copyFileSync(from, to);
  }
}
