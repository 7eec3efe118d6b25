import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk, type DiskTrouble } from './on-disk.ts';

/** Whether there is anything of that name. */
export function exists(path: string): boolean {
  return existsSync(path);
}

/**
 * Writes files that must not be there yet: all of them, or none.
 * @param files name -> content
 * @throws Failure `file-exists`, `output-unwritable`, `disk-full`
 */
export function writeNewFiles(folder: string, files: ReadonlyMap<string, string>): void {
  const taken = [...files.keys()].filter((name) => existsSync(join(folder, name)));
  if (taken.length > 0) {
    const them = taken.length === 1 ? 'it' : 'them';
    throw new Failure(
      'file-exists',
      `${folder} already has ${taken.join(', ')}; name another folder, or move ${them} away`,
    );
  }
  const trouble: DiskTrouble = {
    code: 'output-unwritable',
    fact: `cannot write to ${folder}`,
    remedy: 'name a folder that you can write to',
  };
  const created: string[] = [];
  try {
    onDisk(trouble, () => {
      mkdirSync(folder, { recursive: true });
      for (const [name, content] of files) {
        const path = join(folder, name);
        const descriptor = openSync(path, 'wx');
        created.push(path);
        try {
          writeFileSync(descriptor, content);
        } finally {
          closeSync(descriptor);
        }
      }
    });
  } catch (error) {
    for (const path of created) rmSync(path, { force: true });
    throw error;
  }
}
