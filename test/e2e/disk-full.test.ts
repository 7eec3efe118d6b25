import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statfsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { copyGuide } from '../support/copy-guide.ts';
import { writeBusyPacker } from '../support/busy-packer.ts';
import { bakeImage } from '../support/image-command.ts';
import { runBake } from '../support/run-bake.ts';
import { expectWholeOutput } from '../support/sample-output.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// Disks that refuse for real; test/unit/write-output.test.ts and token-store.test.ts have them refuse at every call.
const disk = suite('full and read-only disks');
const missing = process.getuid?.() === 0 ? undefined : 'root, who alone may mount a small disk';

/** Runs something on a small disk of its own. */
function onSmallDisk(work: (folder: string) => Promise<void>): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const mounted = join(folder, 'disk');
    mkdirSync(mounted);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', mounted]);
    try {
      await work(mounted);
    } finally {
      await execa('umount', [mounted]);
    }
  });
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Fills a disk to its last byte. @returns has so many bytes free again */
function fill(folder: string): (left: number) => void {
  const filler = join(folder, 'filler');
  const size = freeBytes(folder);
  writeFileSync(filler, Buffer.alloc(size));
  assert.equal(freeBytes(folder), 0);
  return (left) => truncateSync(filler, size - left);
}

const compile = (cwd: string, out = 'out') => runBake(['compile', 'guide/cluster.yaml', '-o', out], { cwd });

testUnless(disk, missing, 'however little is left, a full disk leaves the old output, and no half of a new one', () =>
  onSmallDisk(async (folder) => {
    copyGuide(join(folder, 'guide'));
    assert.equal((await compile(folder)).exitCode, 0);
    const names = readdirSync(folder);
    const record = readFileSync(join(folder, 'out/bake.json'), 'utf8');
    const store = readFileSync(join(folder, 'guide/cluster.tokens.json'), 'utf8');

    const leave = fill(folder);
    let full = 0;
    for (let left = 0; ; left += 20_480) {
      leave(left);
      const { exitCode, stderr } = await compile(folder);
      if (exitCode === 0) break;
      full++;
      assert.equal(exitCode, 3, stderr);
      assert.match(stderr, /disk-full.*what was there is as it was: free some space/);
      expectWholeOutput(join(folder, 'out'));
      assert.equal(readFileSync(join(folder, 'out/bake.json'), 'utf8'), record);
      assert.deepEqual(
        readdirSync(folder)
          .filter((name) => name !== 'filler')
          .sort(),
        [...names].sort(),
      );
    }
    assert.ok(full >= 5, `${full} times full`);

    writeFileSync(join(folder, 'filler2'), Buffer.alloc(freeBytes(folder)));
    const { exitCode, stderr } = await runBake(['token', 'rotate', '-f', 'guide/cluster.yaml'], { cwd: folder });
    assert.equal(exitCode, 3, stderr);
    assert.match(stderr, /disk-full/);
    assert.equal(readFileSync(join(folder, 'guide/cluster.tokens.json'), 'utf8'), store);
  }),
);

testUnless(disk, missing, 'a disk mounted read-only is told by its path and the remedy', () =>
  onSmallDisk((folder) =>
    inTemporaryFolder(async (elsewhere) => {
      copyGuide(join(elsewhere, 'guide'));
      copyGuide(join(folder, 'guide'));
      await execa('mount', ['-o', 'remount,ro', folder]);

      const output = await compile(elsewhere, join(folder, 'out'));
      assert.equal(output.exitCode, 3);
      assert.match(output.stderr, /output-unwritable.*EROFS.*name another folder with -o/);
      assert.deepEqual(readdirSync(folder), ['guide']);

      const tokens = await compile(folder, join(elsewhere, 'out'));
      assert.equal(tokens.exitCode, 3);
      assert.match(tokens.stderr, /token-store-unusable.*EROFS.*guide\/cluster\.tokens\.json/);
    }),
  ),
);

/** Runs `bake image` with more and more room on a disk, until its Packer fails for another reason. */
async function bakeOnFullDisk(
  folder: string,
  small: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const leave = fill(small);
  let full = 0;
  for (let left = 0; ; left += 20_480) {
    leave(left);
    const { exitCode, stderr } = await bakeImage(folder, [join(folder, 'bin')], argv, {
      SSH_AUTH_SOCK: '/agent',
      ...env,
    });
    assert.equal(exitCode, 3, stderr);
    assert.deepEqual(
      readdirSync(small).filter((name) => !name.endsWith('.log')),
      ['filler'],
    );
    if (/^error bake-failed: /m.test(stderr)) break;
    full++;
    assert.match(stderr, /^error disk-full: cannot write .*small.*: the disk is full \(ENOSPC\)/m);
  }
  assert.ok(full > 0);
}

for (const [what, argv, env] of [
  ['temporary files', [], (small: string) => ({ TMPDIR: small })],
  ['images', ['--image', 'small'], () => ({})],
] as const) {
  testUnless(disk, missing, `a full disk for ${what}: bake image says so, and leaves nothing there`, () =>
    inTemporaryFolder((folder) =>
      onSmallDisk(async (mounted) => {
        writeBusyPacker(folder);
        writeFileSync(join(folder, 'go'), '');
        symlinkSync(mounted, join(folder, 'small'));
        await bakeOnFullDisk(folder, join(folder, 'small'), argv, env(join(folder, 'small')));
      }),
    ),
  );
}

disk.run();
