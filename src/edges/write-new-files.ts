import { mkdirSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../diagnostics/failure.ts';

/**
 * Writes files that must not be there yet: all of them, or none when one is there.
 * @param files name -> content
 * @throws Failure `file-exists`, `output-unwritable`
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
  try {
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of files) writeFileSync(join(folder, name), content, { flag: 'wx' });
  } catch (error) {
    throw new Failure('output-unwritable', `cannot write to ${folder}: ${(error as Error).message}`);
  }
}
