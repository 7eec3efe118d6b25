import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { startDiskBake, type DiskBake } from '../support/disk-bake.ts';
import { missingForBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';
import { makeDisk, tools } from '../support/virtual-machine.ts';

// `bake image` with its default source: Packer's real qemu plugin boots a Debian 12 disk image on an emulated processor and
// bakes it. Half an hour: `npm run e2e -- qemu-bake`.
const qemuBake = suite('qemu-bake');
const parts = join(import.meta.dirname, '../parts');
const packer = await tryPart('packer');
const cloud = await tryPart('debian-12-cloud');
const machines = await tryPart('machines');
const upstream = await tryPart('upstream-mirror');

let disk: DiskBake;
const at = (name: string): string => disk.at(name);

qemuBake.before(async () => {
  if (missingForBake !== undefined) return;
  disk = await startDiskBake({
    packer: packer.folder,
    cloud: cloud.folder,
    machines: machines.folder,
    upstream: upstream.folder,
  });
  await makeBase();
});
qemuBake.after(() => {
  if (missingForBake === undefined) disk.end();
});

/** Debian's cloud image as somebody may have changed it: with swap in a file of fstab's and in one of a unit's. */
async function makeBase(): Promise<void> {
  for (const name of ['root', 'changes', 'work']) mkdirSync(at(name));
  const layers = `lowerdir=${cloud.folder},upperdir=${at('changes')},workdir=${at('work')}`;
  await execa('mount', ['-t', 'overlay', '-o', layers, 'overlay', at('root')]);
  try {
    const write = (path: string, text: string | Buffer): void =>
      writeFileSync(at(`root/${path}`), text, { mode: 0o600 });
    // Not zeros, which would become holes.
    for (const path of ['swapfile', 'var/swap']) {
      write(path, Buffer.alloc(16 * 1024 * 1024, 1));
      await execa(join(parts, 'run-tool'), [machines.folder, 'sbin/mkswap', at(`root/${path}`)]);
    }
    appendFileSync(at('root/etc/fstab'), '/swapfile none swap sw 0 0\n');
    const install = '[Install]\nWantedBy=multi-user.target\n';
    write('etc/systemd/system/var-swap.swap', `[Swap]\nWhat=/var/swap\n${install}`);
    // What the build machine began with, to be read on the node.
    write(
      'etc/systemd/system/tell-swaps.service',
      `[Unit]\nAfter=swapfile.swap var-swap.swap\nConditionPathExists=!/var/lib/swaps\n` +
        `[Service]\nType=oneshot\nExecStart=/bin/cp /proc/swaps /var/lib/swaps\n${install}`,
    );
    for (const unit of ['var-swap.swap', 'tell-swaps.service']) {
      symlinkSync(`../${unit}`, at(`root/etc/systemd/system/multi-user.target.wants/${unit}`));
    }
    await makeDisk(machines.folder, at('root'), at('base.raw'), 2560);
  } finally {
    await execa('umount', [at('root')]);
  }
}

/** No machine, no key and no half image. */
async function expectNothingLeft(folder = at('image')): Promise<void> {
  assert.deepEqual(readdirSync(at('tmp')), []);
  assert.deepEqual(readdirSync(folder), ['kubernetes-worker.log']);
  const { stdout } = await execa('pgrep', ['--full', '--list-full', 'qemu-system'], { reject: false });
  assert.ok(!stdout.includes(disk.folder), stdout);
}

testUnless(qemuBake, missingForBake, 'Ctrl-C takes the machine away', async () => {
  const running = disk.bake({});
  let interrupted = false;
  const interrupt = setInterval(() => {
    // The machine runs once Packer waits for its SSH server.
    const log = existsSync(at('image/kubernetes-worker.log'))
      ? readFileSync(at('image/kubernetes-worker.log'), 'utf8')
      : '';
    if (interrupted || !log.includes('Waiting for SSH')) return;
    interrupted = running.kill('SIGINT');
  }, 500);
  const { exitCode, stderr } = await running;
  clearInterval(interrupt);
  assert.ok(interrupted, stderr);
  assert.equal(exitCode, 130, stderr);
  await expectNothingLeft();
});

/** QEMU pauses a machine whose disk cannot grow; Packer would wait for it. */
testUnless(
  qemuBake,
  missingForBake,
  'a disk that is full before the image is made, and one that is full soon after',
  async () => {
    mkdirSync(at('small'));
    const used = Math.ceil((statSync(at('base.raw')).blocks * 512) / 1024 ** 2);
    for (const [mib, says] of [
      [used / 2, /^error bake-failed: (.*\n)+.*No space left on device/m],
      [used + 50, /^error disk-full: cannot write .*small: the disk is full/m],
    ] as const) {
      await execa('mount', ['-t', 'tmpfs', '-o', `size=${Math.ceil(mib)}m`, 'none', at('small')]);
      try {
        const { exitCode, stderr } = await disk.bake({}, '--image', 'small');
        console.log(`\n${stderr.split('\n').slice(-5).join('\n')}`);
        assert.match(stderr, says);
        assert.equal(exitCode, 3);
        await expectNothingLeft(at('small'));
      } finally {
        await execa('umount', [at('small')]);
      }
    }
  },
);

for (const format of ['qcow2', 'raw', 'vmdk'] as const) {
  testUnless(
    qemuBake,
    missingForBake,
    `a disk image as ${format}, which boots and asks for its certificate`,
    async () => {
      rmSync(at('image'), { recursive: true, force: true });
      const { exitCode, stdout, stderr } = await disk.bake({ format }, '--json');
      assert.equal(exitCode, 0, stderr);
      console.log(`\n${stderr}`);
      assert.equal((JSON.parse(stdout) as { artifact: string }).artifact, at(`image/kubernetes-worker.${format}`));

      assert.deepEqual(readdirSync(at('tmp')), []);
      assert.deepEqual(
        readdirSync(at('image')).sort(),
        [
          'kubernetes-worker.cdx.json',
          'kubernetes-worker.log',
          `kubernetes-worker.${format}`,
          `kubernetes-worker.${format}.sha256`,
        ].sort(),
      );
      const image = at(`image/kubernetes-worker.${format}`);
      const hash = createHash('sha256');
      await pipeline(createReadStream(image), hash);
      const digest = hash.digest('hex');
      assert.equal(readFileSync(`${image}.sha256`, 'utf8').slice(0, 64), digest);
      assert.ok(readFileSync(at('image/kubernetes-worker.cdx.json'), 'utf8').includes(digest));

      await expectNoRandomSeed(image);
      await disk.expectNode(image, async (says) => {
        const swaps = await says('cat /var/lib/swaps');
        for (const file of ['/swapfile', '/var/swap']) assert.match(swaps, new RegExp(`^${file} `, 'm'));
        assert.equal(await says('tail -n +2 /proc/swaps; ls -d /swapfile /var/swap 2>/dev/null || true'), '');
      });
    },
  );
}

/** systemd saves one when a machine is shut down; clones must not begin with the same. */
async function expectNoRandomSeed(image: string): Promise<void> {
  const env = { MACHINES: machines.folder };
  await execa(join(tools, 'qemu-img'), ['convert', '-O', 'raw', image, at('looked-at.raw')], { env });
  // Where make-disk has put the root file system.
  const device = `${at('looked-at.raw')}?offset=${73_728 * 512}`;
  const debugfs = [machines.folder, 'sbin/debugfs', '-R', 'ls -p /var/lib/systemd', device];
  const { stdout } = await execa(join(parts, 'run-tool'), debugfs);
  rmSync(at('looked-at.raw'));
  assert.match(stdout, /\/catalog\//);
  assert.doesNotMatch(stdout, /random-seed/);
}

qemuBake.run();
