import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { writeSite } from '../support/download-site.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What ends before Packer starts. Real bakes are in test/e2e/image.test.ts.
const image = suite('bake image');

/** Runs `bake image` where PATH has nothing but a packer that prints this; none: nothing at all. */
function withPacker(
  printed: string | undefined,
  says: string,
  code: 'packer-unusable' | 'qemu-unusable' = 'packer-unusable',
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      writeSite(folder);
      if (code === 'qemu-unusable') {
        const description = join(folder, 'cluster.yaml');
        writeFileSync(description, readFileSync(description, 'utf8').replace(/^image: .*\n/m, ''));
      }
      mkdirSync(join(folder, 'bin'));
      if (printed !== undefined) {
        writeFileSync(join(folder, 'bin/packer'), `#!/bin/sh\necho '${printed}'\n`, { mode: 0o755 });
      }
      const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
      const { exitCode, stderr } = await runBake(['image', 'cluster.yaml'], { cwd: folder, env });
      assert.ok(stderr.startsWith(`error ${code}: ${says}`), stderr);
      assert.equal(exitCode, 3);
      // It is told at once, before anything is downloaded or written.
      for (const name of ['bake.lock', 'cache', 'out', 'image']) assert.ok(!existsSync(join(folder, name)), name);
    });
}

image('without Packer', withPacker(undefined, 'there is no packer on PATH; install 1.11 or later, from https:'));
image("with Debian's Packer", withPacker('Packer v1.6.6', 'the packer on PATH is 1.6.6; install 1.11 or later'));
image('with another program of that name', withPacker('cracklib 2.9', 'the packer on PATH does not say its version'));

const kvm = existsSync('/dev/kvm')
  ? ''
  : '\n  there is no /dev/kvm; bake on a machine that has KVM, or set image.qemu.acc';
image(
  'without QEMU, everything that is missing is told',
  withPacker(
    'Packer v1.11.2',
    'there is no qemu-system-x86_64 on PATH; install QEMU\n' +
      '  there is no qemu-img on PATH; install QEMU\n' +
      `  there is none of xorriso, mkisofs, hdiutil, oscdimg on PATH; install xorriso${kvm}`,
    'qemu-unusable',
  ),
);

image("a plugin's archive that is something else, as the lock has it", () =>
  inTemporaryFolder(async (folder) => {
    // The site's files are no real ones: no plugin can be unpacked.
    writeSite(folder);
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/packer'), "#!/bin/sh\necho 'Packer v1.11.2'\n", { mode: 0o755 });
    const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
    const { exitCode, stderr } = await runBake(['image', 'cluster.yaml'], { cwd: folder, env });
    assert.match(stderr, /^error plugin-unusable: packer-plugin-\S+ is no zip archive \(.*run `bake lock --update`$/m);
    assert.equal(exitCode, 3);
    assert.deepEqual(readdirSync(join(folder, 'image')), ['kubernetes-worker.log']);
  }),
);

image('a description with mistakes is told as such', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'cluster.yaml'), 'version: 1\n');
    const { exitCode, stderr } = await runBake(['image'], { cwd: folder });
    assert.match(stderr, /^cluster\.yaml:1:1 error missing-key: /);
    assert.equal(exitCode, 1);
  }),
);

image.run();
