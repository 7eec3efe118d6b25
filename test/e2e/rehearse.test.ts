import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { parse, stringify } from 'yaml';
import { hierarchies } from '../../src/edges/cgroups.ts';
import { bakeClusterImage } from '../support/baked-image.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { pauseImage } from '../support/image-command.ts';
import { makeIdentities } from '../support/make-identities.ts';
import { missingForBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';
import { tools } from '../support/virtual-machine.ts';

// `bake rehearse` as built, on an image that `bake image` has made, with kubelet 1.18.6 in it. The rehearsals run side by
// side: they mostly wait, and none may see another.
const rehearse = suite('rehearse');
const debian = await tryPart('debian-12');
const machines = await tryPart('machines');
const missing =
  missingForBake ??
  debian.missing ??
  machines.missing ??
  (hierarchies.length === 0 ? 'kubelet 1.18.6 knows cgroups v1 only, and this machine has none mounted' : undefined);
const main = join(import.meta.dirname, '../../dist/main.js');

const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
const at = (name: string) => join(folder, name);

interface Ran {
  readonly pid: number;
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const cases = {
  joins: () => bake(['node1', '--image', 'rootfs', '--output', 'json']),
  disk: async () => {
    await makeDisk(at('rootfs'), at('disk.qcow2'));
    return bake(['master', '--image', 'disk.qcow2']);
  },
  refused: () => bake(['node1', '--image', 'rootfs', '--file', 'refused.yaml']),
  stale: () => bake(['node1', '--image', 'rootfs', '--file', 'stale.yaml', '--timeout', '30s']),
  unread: () => bake(['node1', '--image', 'unread', '--timeout', '40s']),
  early: () => bake(['node1', '--image', 'rootfs', '--timeout', '0s']),
  v2: () => bake(['node1', '--image', 'rootfs'], withoutV1),
};
const ran = new Map<keyof typeof cases, Promise<Ran>>();

rehearse.before(async () => {
  if (missing !== undefined) return;
  mkdirSync(at('work'));
  await makeIdentities(debian.folder, at('identities'));
  copyFileSync(at('identities/ca.pem'), at('ca.pem'));
  await writeImageArchive(at('pause.tar'), pauseImage);
  const host0 = { name: 'host0', addresses: ['192.168.31.136/24'], gateway: '192.168.31.1' };
  const image = await bakeClusterImage(folder, {
    controlPlane: { apiServers: ['192.168.31.44:6443', '192.168.31.45:6443'], certificateAuthority: 'ca.pem' },
    nodes: [
      { name: 'node1', address: '192.168.31.136', interfaces: [host0] },
      // One that is an apiserver too, and has its address from DHCP.
      { name: 'master', address: '192.168.31.44' },
    ],
  });
  const overlay = `mount -t overlay overlay -o lowerdir=${image.layer}:${image.root} /mnt && cp -a /mnt ${at('rootfs')}`;
  await execa('unshare', ['--mount', 'sh', '-c', overlay]);
  // Shares its files, and has one more.
  await execa('cp', ['--archive', '--link', at('rootfs'), at('unread')]);
  writeFileSync(at('unread/etc/cloud/cloud-init.disabled'), '');
  rmSync(at('unread/usr/bin/cloud-init'));
  writeFileSync(at('unread/usr/bin/cloud-init'), tellCapabilities, { mode: 0o755 });
  const unit = "[Service]\nExecStart=/bin/sh -c 'echo no such disk; exit 1'\n";
  writeFileSync(at('unread/etc/systemd/system/broken.service'), unit);
  symlinkSync('../broken.service', at('unread/etc/systemd/system/multi-user.target.wants/broken.service'));
  describe('refused.yaml', ({ kubelet }) => Object.assign(kubelet, { config: { featureGates: { NoSuchGate: true } } }));
  describe('stale.yaml', ({ controlPlane }) => Object.assign(controlPlane, { apiServers: ['192.168.31.46:6443'] }));
  for (const name of Object.keys(cases) as (keyof typeof cases)[]) ran.set(name, cases[name]());
});
rehearse.after(() => rm(folder, { recursive: true, force: true }));

/** As cloud images are: the root file system is one partition of several. */
async function makeDisk(root: string, image: string): Promise<void> {
  const raw = `${image}.raw`;
  const tool = (program: string, argv: readonly string[], input = '') =>
    execa(join(import.meta.dirname, '../parts/run-tool'), [machines.folder, program, ...argv], {
      input,
      env: { MKE2FS_CONFIG: join(machines.folder, 'etc/mke2fs.conf') },
    });
  await execa('truncate', ['--size=4G', raw]);
  const sectors = 4 * 2 ** 21;
  await tool(
    'sbin/sfdisk',
    ['--quiet', raw],
    `label: gpt\n14: start=2048, size=6144\n1: start=8192, size=${sectors - 8192 - 2048}\n`,
  );
  const blocks = (sectors - 8192 - 2048) / 8;
  await tool('sbin/mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-b',
    '4096',
    '-d',
    root,
    '-E',
    `offset=${8192 * 512}`,
    raw,
    String(blocks),
  ]);
  await tool('usr/bin/qemu-img', ['convert', '-O', 'qcow2', raw, image]);
  await rm(raw);
}

/** What runs in a node's place of a program, for its status: it says what PID 1 may do, and what it may do itself. */
const tellCapabilities = `#!/bin/sh
of() { sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$1/status"; }
echo "status: disabled, $(of 1) and $(of self)"
`;

/** A description that differs from the one of the image. */
function describe(name: string, change: (description: { kubelet: object; controlPlane: object }) => void): void {
  const description = parse(readFileSync(at('cluster.yaml'), 'utf8')) as { kubelet: object; controlPlane: object };
  change(description);
  writeFileSync(at(name), stringify(description));
}

/** Before a command: this machine, as if it had booted with cgroup v2 only. */
const withoutV1 = [
  ...['unshare', '--mount', 'sh', '-c'],
  'umount --recursive /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"',
  'sh',
];

function start(argv: readonly string[], on: readonly string[] = []) {
  const env = { PATH: `${tools}:${process.env['PATH'] ?? ''}`, MACHINES: machines.folder, TMPDIR: at('work') };
  const options = { cwd: folder, env, extendEnv: false, reject: false } as const;
  return execa(options)`${on} ${process.execPath} ${main} rehearse ${argv}`;
}

async function bake(argv: readonly string[], on?: readonly string[]): Promise<Ran> {
  const subprocess = start(argv, on);
  const { exitCode, stdout, stderr } = await subprocess;
  return { pid: subprocess.pid ?? 0, exitCode, stdout, stderr };
}

/** What a rehearsal has told; fails where it has told a secret, or left something behind. */
async function told(name: keyof typeof cases): Promise<Ran> {
  const result = await ran.get(name);
  assert.ok(result);
  // A bootstrap token, a key.
  assert.doesNotMatch(result.stdout + result.stderr, /\b[a-z0-9]{6}\.[a-z0-9]{16}\b|PRIVATE KEY/);
  expectNothingLeft(result.pid);
  return result;
}

const leftIn = (path: string, prefix: string) => readdirSync(path).filter((name) => name.startsWith(prefix));

function expectNothingLeft(pid: number): void {
  assert.deepEqual(leftIn(at('work'), `bake-rehearsal-${pid}.`), []);
  for (const hierarchy of hierarchies) assert.deepEqual(leftIn(hierarchy, `bake-node-${pid}.`), []);
}

interface Told {
  readonly good: boolean;
  readonly seconds: number;
  readonly stages: readonly { readonly stage: string; readonly result: string; readonly what: string }[];
  readonly requests: readonly { readonly user?: string; readonly method: string; readonly path: string }[];
}

function test(name: string, work: () => Promise<void>): void {
  testUnless(rehearse, missing, name, work);
}

test('a node that would join: each stage, its files, its units, what kubelet asked for', async () => {
  const { exitCode, stdout, stderr } = await told('joins');
  assert.equal(exitCode, 0, stdout + stderr);
  const { good, seconds, stages, requests } = JSON.parse(stdout) as Told;
  console.log(`  joined ${seconds.toFixed(1)} s after the start of the container`);
  assert.ok(good);
  assert.deepEqual([...new Set(stages.map(({ result }) => result))], ['ok'], stdout);
  const of = (stage: string) => stages.filter((row) => row.stage === stage).map(({ what }) => what);
  assert.match(of('cloud-init').join(), /^status done, datasource DataSourceNoCloud /);
  assert.deepEqual(of('files'), [
    '/etc/kubernetes/kubelet-config.yaml 644 root:root',
    '/etc/kubernetes/kubelet-bootstrap.kubeconfig 600 root:root',
    '/etc/kubernetes/kubelet.env 644 root:root',
    '/etc/kubernetes/bake.sha256 644 root:root',
  ]);
  const order = of('units').map((what) => what.split('.service ')[0] ?? '');
  assert.ok(order.indexOf('cloud-init') < order.indexOf('kubelet'), order.join());
  assert.ok(order.indexOf('kubelet') < order.indexOf('cloud-final'), order.join());
  assert.match(
    of('requests').join('\n'),
    /client certificate as system:bootstrap:[a-z0-9]{6}: the cluster approves it/,
  );
  assert.match(of('requests').join('\n'), /serving certificate as system:node:node1: bake approve-csrs approves it/);
  const users = new Set(requests.filter(({ path }) => path.startsWith('/api/v1/nodes')).map(({ user }) => user));
  assert.deepEqual([...users], ['system:node:node1']);
  // Neither the image nor the tokens of the description were touched.
  assert.ok(!existsSync(at('rootfs/etc/kubernetes/kubelet.env')));
});

test('from a qcow2, a node that has its address from DHCP and is an apiserver too', async () => {
  const { exitCode, stdout, stderr } = await told('disk');
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, /^joined +ok +master joins/m);
  assert.match(stderr, /^master would join; /m);
});

test('a field that kubelet refuses', async () => {
  const { exitCode, stdout, stderr } = await told('refused');
  assert.match(stderr, /^error node-would-not-join: node1: kubelet-down: .*unrecognized feature gate: NoSuchGate/m);
  assert.match(stdout, /^image +ok /m);
  assert.match(stdout, /^ +failed +kubelet\.service started after .* s, activating$/m);
  assert.match(stdout, /^requests +not reached +kubelet has not asked for its client certificate$/m);
  assert.equal(exitCode, 3);
});

test('an image that was baked before the apiservers changed', async () => {
  const { exitCode, stdout, stderr } = await told('stale');
  const file = '/opt/k8s/kube-nginx/conf/kube-nginx.conf';
  assert.match(stderr, new RegExp(`^error node-would-not-join: node1: not what .*: ${file}; bake it again$`, 'm'));
  assert.match(stdout, /^joined +failed +no-apiserver: .*192\.168\.31\.44:6443/m);
  assert.equal(exitCode, 3);
});

test('an image in which cloud-init does not run', async () => {
  const { exitCode, stdout, stderr } = await told('unread');
  assert.match(stderr, /^error node-would-not-join: node1: no-user-data: /m);
  // What is asked of a node runs there, and may do no more than it.
  const [, first, asked] =
    /^cloud-init +failed +status disabled, (\w+) and (\w+), datasource none$/m.exec(stdout) ?? [];
  assert.equal(asked, first, stdout);
  assert.notEqual(asked, undefined, stdout);
  assert.match(stdout, /^files +failed +\/etc\/kubernetes\/kubelet-config\.yaml is missing$/m);
  assert.match(stdout, /^ +failed +broken\.service failed; it said: no such disk$/m);
  assert.equal(exitCode, 3);
});

test('a machine on which this kubelet cannot run tells what it can', async () => {
  const { exitCode, stdout, stderr } = await told('v2');
  assert.match(stderr, /^error rehearsal-incomplete: node1: this kubelet runs on cgroup v1 /m);
  assert.doesNotMatch(stdout, / failed /);
  assert.match(stdout, /^ +ok +kube-nginx\.service started after /m);
  assert.match(stdout, /^ +not reached +kubelet\.service started after .*, and cannot stay$/m);
  assert.equal(exitCode, 3);
});

test('a machine that has no time to boot is neither good nor bad', async () => {
  const { exitCode, stdout, stderr } = await told('early');
  assert.match(stderr, /^error rehearsal-incomplete: node1: .*--timeout/m);
  assert.match(stdout, /^STAGE .*\njoined +not reached +.*$/);
  assert.equal(exitCode, 3);
});

test('what is no baked image', async () => {
  const expectRefused = async (image: string, says: RegExp) => {
    const { pid, exitCode, stdout, stderr } = await bake(['node1', '--image', image]);
    assert.match(stderr, says);
    assert.deepEqual([exitCode, stdout], [3, '']);
    expectNothingLeft(pid);
  };
  await expectRefused('none', /^error image-unreadable: .*none does not exist; /m);
  await expectRefused(
    'ca.pem',
    /^error image-unreadable: .*ca\.pem has no root file system that can be mounted: mount: /m,
  );
  await expectRefused(debian.folder, /^error image-not-baked: .* has no \/etc\/bake-release; /m);
});

test('Ctrl-C ends the node, and leaves nothing', async () => {
  const subprocess = start(['node1', '--image', 'rootfs']);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const [hierarchy = ''] = hierarchies;
  assert.equal(leftIn(hierarchy, `bake-node-${subprocess.pid ?? 0}.`).length, 1, 'it has not begun');
  subprocess.kill('SIGINT');
  const { exitCode, stdout } = await subprocess;
  assert.deepEqual([exitCode, stdout], [130, '']);
  expectNothingLeft(subprocess.pid ?? 0);
});

rehearse.run();
