import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runInRoot } from '../parts/parts.ts';

/** Runs certificates/make-identities.sh by the openssl of a Debian, which this machine need not have. */
export async function makeIdentities(root: string, folder: string): Promise<void> {
  mkdirSync(folder);
  const { exitCode, all } = await runInRoot(root, ['bash', '/certificates/make-identities.sh', '/identities'], {
    binds: [
      { from: join(import.meta.dirname, 'certificates'), to: '/certificates' },
      { from: folder, to: '/identities', writable: true },
    ],
  });
  assert.equal(exitCode, 0, all);
}
