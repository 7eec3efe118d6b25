import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runInRoot } from '../parts/parts.ts';

/** Runs certificates/make-identities.sh: authorities, and an apiserver and a node in every state that they can be in. */
export function makeIdentities(root: string, folder: string): Promise<void> {
  return runScript(root, 'make-identities.sh', folder);
}

/** Runs certificates/make-cluster-identities.sh: an authority, and what it has signed for a control plane. */
export function makeClusterIdentities(root: string, folder: string, apiServers: readonly string[]): Promise<void> {
  return runScript(root, 'make-cluster-identities.sh', folder, apiServers);
}

/** By the openssl of a Debian, which this machine need not have. */
async function runScript(root: string, script: string, folder: string, more: readonly string[] = []): Promise<void> {
  mkdirSync(folder);
  const { exitCode, all } = await runInRoot(root, ['bash', `/certificates/${script}`, '/identities', ...more], {
    binds: [
      { from: join(import.meta.dirname, 'certificates'), to: '/certificates' },
      { from: folder, to: '/identities', writable: true },
    ],
  });
  assert.equal(exitCode, 0, all);
}
