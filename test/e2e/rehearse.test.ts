import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

// `bake rehearse` as built, on an image that `bake image` has made, with kubelet 1.18.6 in it. Each test reads the same
// image; where something has to be wrong with it, it is a copy that shares its files.
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
const rootfs = at('rootfs');

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
  const overlay = `mount -t overlay overlay -o lowerdir=${image.layer}:${image.root} /mnt && cp -a /mnt ${rootfs}`;
  await execa('unshare', ['--mount', 'sh', '-c', overlay]);
});
rehearse.after(() => rm(folder, { recursive: true, force: true }));

interface Told {
  readonly good: boolean;
  readonly seconds: number;
  readonly stages: readonly { readonly stage: string; readonly result: string; readonly what: string }[];
  readonly requests: readonly { readonly user?: string; readonly method: string; readonly path: string }[];
}

const env = {
  PATH: `${tools}:${process.env['PATH'] ?? ''}`,
  MACHINES: machines.folder,
  TMPDIR: at('work'),
};

function start(argv: readonly string[], description = 'cluster.yaml') {
  return execa(process.execPath, [main, 'rehearse', ...argv, '-f', description], {
    cwd: folder,
    env,
    extendEnv: false,
    reject: false,
  });
}

async function run(argv: readonly string[], description?: string) {
  const subprocess = start(argv, description);
  const { exitCode, stdout, stderr } = await subprocess;
  // No bootstrap token, and no key.
  assert.doesNotMatch(stdout + stderr, /\b[a-z0-9]{6}\.[a-z0-9]{16}\b|PRIVATE KEY/);
  expectNothingLeft(subprocess.pid ?? 0);
  return { exitCode, stdout, stderr };
}

function expectNothingLeft(pid: number): void {
  assert.deepEqual(
    readdirSync(at('work')).filter((name) => name.startsWith('bake-rehearsal-')),
    [],
  );
  for (const hierarchy of hierarchies) {
    assert.deepEqual(
      readdirSync(hierarchy).filter((name) => name.startsWith(`bake-node-${pid}-`)),
      [],
    );
  }
}

/** A description that differs from the one of the image. */
function describe(name: string, change: (description: Record<string, unknown>) => void): string {
  const description = parse(readFileSync(at('cluster.yaml'), 'utf8')) as Record<string, unknown>;
  change(description);
  writeFileSync(at(name), stringify(description));
  return name;
}

const failedIn = ({ stages }: Told) => stages.filter(({ result }) => result === 'failed').map(({ stage }) => stage);

testUnless(
  rehearse,
  missing,
  'a node that would join: each stage, its files, its units, what kubelet asked for',
  async () => {
    const { exitCode, stdout, stderr } = await run(['node1', '--image', 'rootfs', '-o', 'json']);
    assert.equal(exitCode, 0, stdout + stderr);
    const told = JSON.parse(stdout) as Told;
    console.log(`  joined ${told.seconds.toFixed(1)} s after the start of the container`);
    assert.ok(told.good);
    assert.deepEqual(failedIn(told), []);
    const of = (stage: string) => told.stages.filter((row) => row.stage === stage).map(({ what }) => what);
    assert.deepEqual(of('cloud-init'), [
      'status done, datasource DataSourceNoCloud [seed=/var/lib/cloud/seed/nocloud][dsmode=net]',
    ]);
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
    assert.ok(told.requests.some(({ method, path }) => method === 'POST' && path === '/api/v1/nodes'));
  },
);

testUnless(rehearse, missing, 'a node without a planned interface, which is an apiserver too', async () => {
  const { exitCode, stdout, stderr } = await run(['master', '--image', 'rootfs']);
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, /^joined +ok +master joins/m);
  assert.match(stderr, /^master would join; /m);
});

testUnless(rehearse, missing, 'a field that kubelet refuses', async () => {
  const description = describe('refused.yaml', (cluster) => {
    Object.assign(cluster['kubelet'] as object, { config: { featureGates: { NoSuchGate: true } } });
  });
  const { exitCode, stdout, stderr } = await run(['node1', '--image', 'rootfs'], description);
  assert.match(stderr, /^error node-would-not-join: node1: kubelet-down: .*unrecognized feature gate: NoSuchGate/m);
  assert.match(stdout, /^image +ok /m);
  assert.match(stdout, /^ +failed +kubelet\.service started after .* s, activating$/m);
  assert.match(stdout, /^requests +failed +kubelet has not asked for its client certificate$/m);
  assert.equal(exitCode, 3);
});

rehearse.run();
