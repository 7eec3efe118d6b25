import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { tryPart } from '../support/try-part.ts';

// Packer 1.11 itself, with the real amazon and qemu plugins.
const packer = suite('packer');
const built = await tryPart('packer');

/** Runs packer in a compiled template, with a home of its own. */
function runPacker(argv: readonly string[], template: string): Promise<{ exitCode?: number | undefined; all: string }> {
  return inTemporaryFolder(async (home) => {
    const env = { CHECKPOINT_DISABLE: '1', PACKER_PLUGIN_PATH: join(built.folder, 'plugins'), HOME: home };
    return execa(join(built.folder, 'packer'), argv, { cwd: template, env, all: true, reject: false });
  });
}

async function succeeds(argv: readonly string[], template: string): Promise<void> {
  const { exitCode, all } = await runPacker(argv, template);
  assert.equal(exitCode, 0, `packer ${argv.join(' ')}: ${all}`);
}

/** Packer looks whether what it will upload is there. */
function layArtifacts(template: string): void {
  const { artifacts } = JSON.parse(readFileSync(join(template, 'bake.auto.pkrvars.json'), 'utf8')) as {
    artifacts: string[];
  };
  mkdirSync(join(template, 'artifacts'));
  for (const name of artifacts) writeFileSync(join(template, 'artifacts', name), '');
}

const key = ['-var', 'ssh_public_key=ssh-ed25519 AAAA a "b" ${x} {{y}}'];

for (const name of caseNames) {
  testUnless(packer, built.missing, `${name}: canonical, and valid for each source`, () =>
    withCompiled(name, async (out) => {
      const template = join(out, 'packer');
      await succeeds(['fmt', '-check', '-diff', '.'], template);
      await succeeds(['init', '.'], template);
      layArtifacts(template);
      for (const source of ['qemu', 'amazon-ebs', 'null']) {
        await succeeds(['validate', '-var', `source=${source}`, '-var', 'null_host=192.0.2.1', ...key, '.'], template);
      }
    }),
  );
}

testUnless(packer, built.missing, 'qemu without a key to log in with is refused before anything is built', () =>
  withCompiled('guide', async (out) => {
    const { exitCode, all } = await runPacker(['validate', '.'], join(out, 'packer'));
    assert.equal(exitCode, 1);
    assert.match(all, /ssh_public_key is not set/);
  }),
);

packer.run();
