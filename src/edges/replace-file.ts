import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * Whoever looks finds the old file or the new one. (write-file-atomic 7.0.1 is no help: on a disk that runs full it
 * leaves half of the file and says nothing, since it does not look how much write(2) took.)
 * @param fresh a name beside it that nobody else uses at the same time
 */
export function replaceFile(path: string, text: string, { fresh, mode }: { fresh: string; mode: number }): void {
  rmSync(fresh, { force: true });
  try {
    const descriptor = openSync(fresh, 'wx', mode);
    try {
      fchmodSync(descriptor, mode);
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(fresh, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
