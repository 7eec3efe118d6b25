import { execFile } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from 'node:fs';
import { platform } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { OutputFile } from '../compile/output-file.ts';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk, type DiskTrouble } from './on-disk.ts';
import { removeLeftovers } from './remove-leftovers.ts';
import { removeTree } from './remove-tree.ts';
import { holdMark, markIn, releaseMark } from './run-mark.ts';
import { syncFolder } from './sync-folder.ts';
import { stageFiles, type Origin } from './stage-files.ts';

/**
 * Replaces everything below `out`, all or nothing: whoever looks, at any moment and also after a power cut, finds the
 * old files or the new ones. For that `out` is a link to a folder beside it, `.out-DIGEST-MARK`. The files go into a
 * new folder, the system writes them to the disk, and a new link is renamed over the old one, which rename(2) does in
 * one step: https://man7.org/linux/man-pages/man2/rename.2.html
 *
 * Each run links to the folder that carries its own mark and to no other, and does that once. So a folder whose run is
 * gone and that is not linked now will never be: the next run removes it. Two runs at once need not wait for each
 * other; the last to link wins.
 * @throws Failure `output-not-ours`, `output-unwritable`, `disk-full`
 */
export async function writeOutput(
  out: string,
  files: Iterable<OutputFile>,
  origin: Origin,
  signal: AbortSignal,
): Promise<void> {
  const place = placeOf(out);
  const mark = holdMark();
  let replaced: string | undefined;
  try {
    onDisk(place.trouble, () => mkdirSync(place.parent, { recursive: true }));
    linkedFolder(place);
    removeUnlinked(place);
    replaced = await stageAndLink(place, mark, files, origin, signal);
    onDisk(place.trouble, () => syncFolder(place.parent));
  } finally {
    releaseMark(mark);
  }
  // Its own run may live on, or, in another container, be beyond our sight; but it has been linked, and so is done with.
  if (replaced !== undefined) onDisk(place.trouble, () => removeTree(place.beside(replaced)));
  // What another run linked while this one wrote; also our own folder if that run linked after us.
  removeUnlinked(place);
}

interface Place {
  /** The path as the user gave it, for messages. */
  readonly out: string;
  readonly link: string;
  readonly parent: string;
  /** What names of staged files and folders start with. */
  readonly prefix: string;
  readonly beside: (name: string) => string;
  readonly trouble: DiskTrouble;
}

function placeOf(out: string): Place {
  const link = resolve(out);
  const parent = dirname(link);
  const remedy = `name another folder with -o, or make ${parent} one that you can write to`;
  return {
    out,
    link,
    parent,
    prefix: `.${basename(link)}-`,
    beside: (name) => join(parent, name),
    trouble: { code: 'output-unwritable', fact: `cannot write ${out}`, remedy },
  };
}

/** @returns name of the folder that is replaced, undefined when there is none */
async function stageAndLink(
  place: Place,
  mark: string,
  files: Iterable<OutputFile>,
  origin: Origin,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { prefix, beside, trouble } = place;
  const link = beside(`${prefix}link-${mark}`);
  let folder = beside(`${prefix}new-${mark}`);
  try {
    onDisk(trouble, () => mkdirSync(folder, { mode: 0o700 }));
    onDisk(trouble, () => chmodSync(folder, 0o700));
    const digest = await stageFiles(folder, files, origin, trouble, signal);
    await syncFileSystem(folder, trouble, signal);
    const name = `${prefix}${digest.slice(0, 12)}-${mark}`;
    return onDisk(trouble, () => {
      renameSync(folder, beside(name));
      folder = beside(name);
      symlinkSync(name, link);
      const replaced = linkedFolder(place);
      renameSync(link, place.link);
      return replaced;
    });
  } catch (error) {
    for (const path of [link, folder]) {
      try {
        removeTree(path);
      } catch {
        // What went wrong first is what the user must hear; the next run tries again.
      }
    }
    throw error;
  }
}

/**
 * Name of the folder that `out` links to, undefined when nothing is there.
 * @throws Failure `output-not-ours` when `out` is something that this program did not make
 */
function linkedFolder({ out, link, prefix, trouble }: Place): string | undefined {
  return onDisk(trouble, () => {
    const found = lstatSync(link, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const what = found.isDirectory() ? 'a folder' : 'a file';
    if (!found.isSymbolicLink()) throw notOurs(out, what);
    const target = readlinkSync(link);
    if (markOf(target, prefix) === undefined) throw notOurs(out, `a link to ${target}`);
    return target;
  });
}

function notOurs(out: string, what: string): Failure {
  const message = `${out} is ${what} that bake did not make, and is left alone; move it away, or name another folder with -o`;
  return new Failure('output-not-ours', message);
}

/** The mark in the name of something that a run makes beside `out`. */
function markOf(name: string, prefix: string): string | undefined {
  return markIn(name, prefix, '(?:new|link|[0-9a-f]{12})-');
}

/** A run takes seconds; another machine's or container's that was silent for so long is taken for gone. */
const patienceMs = 3_600_000;

function removeUnlinked(place: Place): void {
  const isLinked = (name: string): boolean => name === linkedFolder(place);
  onDisk(place.trouble, () =>
    removeLeftovers(place.parent, (name) => markOf(name, place.prefix), patienceMs, isLinked),
  );
}

/**
 * One call for the whole file system instead of an fsync for each of 40,000 files. macOS knows no -f, and writes
 * everything. (Not by execa: to load it takes longer than to compile a small cluster.)
 * https://man7.org/linux/man-pages/man1/sync.1.html
 */
async function syncFileSystem(folder: string, trouble: DiskTrouble, signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)('sync', platform() === 'darwin' ? [] : ['-f', folder], { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure(trouble.code, `${trouble.fact}: ${(error as Error).message.trim()}; ${trouble.remedy}`);
  }
}
