import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { stringify } from 'yaml';
import { startAptRelay, type AptRelay } from '../support/apt-relay.ts';
import { bakeImage, pauseImage, withMirror } from '../support/image-command.ts';
import { makeIdentities } from '../support/make-identities.ts';
import { mirrorUpstream } from '../support/mirror-upstream.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { describeMachine, missingForBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';
import { bootDisk, cloneDisk, eventually, makeDisk, makeSeed, tools } from '../support/virtual-machine.ts';

// `bake image` with its default source: Packer's real qemu plugin boots a Debian 12 disk image on an emulated processor and
// bakes it. Half an hour: `npm run e2e -- qemu-bake`.
const qemuBake = suite('qemu-bake');
const parts = join(import.meta.dirname, '../parts');
const packer = await tryPart('packer');
const cloud = await tryPart('debian-12-cloud');
const machines = await tryPart('machines');
const upstream = await tryPart('upstream-mirror');

const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
const at = (name: string): string => join(folder, name);
let relay: AptRelay;
let publicKey = '';

qemuBake.before(async () => {
  if (missingForBake !== undefined) return;
  // A guest's 10.0.2.2 is this machine's loopback.
  relay = await startAptRelay('127.0.0.1', '10.0.2.2');
  await makeIdentities(cloud.folder, at('identities'));
  copyFileSync(at('identities/ca.pem'), at('ca.pem'));
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at('key')]);
  publicKey = readFileSync(at('key.pub'), 'utf8').trim();
  await mirrorUpstream({ upstream: upstream.folder, packer: packer.folder }, at('mirror'));
  await makeBase();
  await writeImageArchive(at('pause.tar'), pauseImage);
  mkdirSync(at('tmp'));
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

qemuBake.after(() => {
  if (missingForBake === undefined) relay.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs `bake image` on a description whose image has the qemu settings. */
function bake(settings: object, ...options: readonly string[]) {
  const image = {
    source: 'qemu',
    apt: { mirror: relay.archive, securityMirror: relay.security },
    qemu: {
      baseImage: { url: `file://${at('base.raw')}`, checksum: 'none' },
      diskSize: '5G',
      memoryMiB: 2048,
      cpus: 2,
      accelerator: 'tcg',
      ...settings,
    },
  };
  const description = withMirror(describeMachine(publicKey, image), `file://${at('mirror')}`);
  writeFileSync(at('cluster.yaml'), stringify(description));
  return bakeImage(folder, [packer.folder, tools], options, { MACHINES: machines.folder });
}

/** No machine, no key and no half image. */
async function expectNothingLeft(): Promise<void> {
  assert.deepEqual(readdirSync(at('tmp')), []);
  assert.deepEqual(readdirSync(at('image')), ['kubernetes-worker.log']);
  const { stdout } = await execa('pgrep', ['--full', '--list-full', 'qemu-system'], { reject: false });
  assert.ok(!stdout.includes(folder), stdout);
}

testUnless(qemuBake, missingForBake, 'Ctrl-C takes the machine away', async () => {
  const running = bake({});
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

for (const format of ['qcow2', 'raw', 'vmdk'] as const) {
  testUnless(
    qemuBake,
    missingForBake,
    `a disk image as ${format}, which boots and asks for its certificate`,
    async () => {
      rmSync(at('image'), { recursive: true, force: true });
      const { exitCode, stdout, stderr } = await bake({ format }, '--json');
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
      await expectNode(image);
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

/** A node boots from the image; nothing of the build is left in it. */
async function expectNode(image: string): Promise<void> {
  await cloneDisk(machines.folder, image, at('node.qcow2'), '6G');
  const files = ['user-data', 'meta-data'].map((file) => at(`out/nodes/node1/${file}`));
  await makeSeed(machines.folder, files, at('node.iso'));
  const node = await bootDisk({
    machines: machines.folder,
    disk: at('node.qcow2'),
    seed: at('node.iso'),
    key: at('key'),
    forward: 1,
  });
  try {
    const says = async (command: string): Promise<string> => {
      const { exitCode, all } = await node.ssh(command);
      assert.equal(exitCode, 0, `${command}: ${all}\n${node.console()}`);
      return all;
    };
    await eventually('an SSH server that lets us in', 600, async () =>
      (await node.ssh('true')).exitCode === 0 ? true : undefined,
    );
    await node.ssh('sudo -n systemctl is-system-running --wait');
    assert.equal(await says('systemctl list-units --state=failed --plain --no-legend'), '');
    assert.match(await says('cloud-init status'), /done/);
    assert.equal(
      await says('systemctl is-active kubelet.service containerd.service kube-nginx.service'),
      'active\nactive\nactive',
    );
    const swaps = await says('cat /var/lib/swaps');
    for (const file of ['/swapfile', '/var/swap']) assert.match(swaps, new RegExp(`^${file} `, 'm'));
    assert.equal(await says('tail -n +2 /proc/swaps; ls -d /swapfile /var/swap 2>/dev/null || true'), '');
    // The account of the build, its key and its rights are gone.
    assert.equal(await says('getent passwd bake || true'), '');
    assert.equal(
      await says("sudo -n grep -rl -e ' bake$' -e '^bake ' /etc/sudoers.d /root/.ssh /home 2>/dev/null || true"),
      '',
    );
  } finally {
    await node.end();
  }
}

qemuBake.run();
