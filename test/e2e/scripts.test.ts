import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { readTree } from '../support/read-tree.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// shellcheck reads every shell script: those that end up in an image, and our own.
const scripts = suite('scripts');
const debian = await tryPart('debian-12');
const root = join(import.meta.dirname, '../..');

/** @param folder the scripts' paths, and those in their `shellcheck source=` lines, are relative to it */
async function shellcheck(folder: string, files: readonly string[], shell?: string): Promise<void> {
  const options = ['--external-sources', ...(shell === undefined ? [] : [`--shell=${shell}`])];
  const { exitCode, all } = await runInRoot(debian.folder, ['shellcheck', ...options, ...files], {
    binds: [{ from: folder, to: '/checked' }],
    cwd: '/checked',
  });
  assert.equal(exitCode, 0, all);
}

// Cases mostly write the same scripts: each different one is read once.
testUnless(scripts, debian.missing, 'every script and executable that compile writes', async () => {
  const seen = new Map<string, string>();
  for (const name of caseNames) {
    await withCompiled(name, async (out) => {
      const template = join(out, 'packer');
      const isExecutable = (file: string): boolean => (statSync(join(template, file)).mode & 0o111) !== 0;
      const different: string[] = [];
      for (const [file, bytes] of readTree(template)) {
        const content = bytes.toString();
        if (!isExecutable(file) && !content.startsWith('#!')) continue;
        if (seen.get(file) !== content) different.push(file);
        seen.set(file, content);
      }
      if (different.length > 0) await shellcheck(template, different);
    });
  }
  const names = [...seen.keys()];
  assert.ok(names.includes('rootfs/opt/k8s/bin/check-user-data'), names.join());
  assert.ok(names.filter((file) => /^scripts\/.*\.sh$/.test(file)).length > 10, names.join());
});

testUnless(scripts, debian.missing, 'what login shells of the image read, none of which need be bash', () =>
  withCompiled('guide', (out) => shellcheck(join(out, 'packer/rootfs'), ['etc/profile.d/kubernetes.sh'], 'sh')),
);

// test/golden holds what compile writes, which is read above.
testUnless(scripts, debian.missing, 'the scripts of the project itself', async () => {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.sh') && !file.startsWith('golden/'))
    .map((file) => join('test', file));
  assert.ok(files.includes('test/parts/debian-12.sh'), files.join());
  const rehearsal = readdirSync(join(root, 'rehearsal')).map((file) => join('rehearsal', file));
  await shellcheck(root, ['.ci/run', 'test/parts/run-in-root', ...rehearsal, ...files.sort()]);
});

scripts.run();
