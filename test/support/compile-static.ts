import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runInRoot } from '../parts/parts.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

/**
 * Compiles a C program that runs in an otherwise empty image.
 * @param root the part debian-12, which has a compiler
 * @param flags as VERSION=3.2, for -D
 */
export function compileStatic(root: string, source: string, flags: readonly string[] = []): Promise<Uint8Array> {
  return inTemporaryFolder(async (folder) => {
    const built = join(folder, 'built');
    mkdirSync(built);
    const argv = ['gcc', '-static', '-Os', ...flags.map((flag) => `-D${flag}`), '-o', '/built/program'] as const;
    const { exitCode, all } = await runInRoot(root, [...argv, `/source/${basename(source)}`], {
      binds: [
        { from: dirname(source), to: '/source' },
        { from: built, to: '/built', writable: true },
      ],
    });
    assert.equal(exitCode, 0, all);
    return readFileSync(join(built, 'program'));
  });
}
