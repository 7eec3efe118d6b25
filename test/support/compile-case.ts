import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runBake } from './run-bake.ts';
import { inTemporaryFolder } from './temporary-folder.ts';

const root = join(import.meta.dirname, '../..');
const golden = join(root, 'test/golden');

/** Names of the descriptions that golden files are kept of: the examples, and those of test/golden. */
export const caseNames: readonly string[] = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Where the description of a case lies: examples are kept where users find them. */
export function descriptionOf(name: string): string {
  const own = join(golden, name, 'cluster.yaml');
  return existsSync(own) ? own : join(root, 'examples', name, 'cluster.yaml');
}

/**
 * Compiles a case as a user does, in a copy, since tokens are kept beside the description.
 * @param work gets the output folder, which is gone afterwards
 */
export function withCompiled<T>(name: string, work: (out: string) => Promise<T> | T): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    cpSync(join(root, 'examples/guide/ca.pem'), join(folder, 'guide/ca.pem'));
    cpSync(descriptionOf(name), join(folder, name, 'cluster.yaml'));
    for (const other of ['hooks', 'bake.lock']) {
      const from = join(dirname(descriptionOf(name)), other);
      if (existsSync(from)) cpSync(from, join(folder, name, other), { recursive: true });
    }
    const { exitCode, stderr } = await runBake(['compile', `${name}/cluster.yaml`], { cwd: folder });
    assert.equal(exitCode, 0, stderr);
    return work(join(folder, 'out'));
  });
}
