import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { during, fallible, faults } from '../support/apiserver-faults.ts';
import type { BootedNode } from '../support/booted-node.ts';
import { placeCniConfig } from '../support/cni-config.ts';
import { apiServerAddresses } from '../support/control-plane.ts';
import { saysOn } from '../support/expect-boot.ts';
import { missingForCluster, plannedNodes, startRealCluster, type RealCluster } from '../support/real-cluster.ts';
import { beforeUnless, testUnless } from '../support/skip.ts';
import { eventually } from '../support/virtual-machine.ts';

// What nodes that have joined live through, and what those meet that cannot. The control plane, the image and the nodes are
// those of boot.test.ts, and each test but the first finds all nodes ready. Times are printed, and depend on the machine.
const outages = suite('outages');

let cluster: RealCluster;
let nodes = new Map<string, BootedNode>();

beforeUnless(outages, missingForCluster, async () => {
  cluster = await startRealCluster();
  await cluster.kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
});
outages.after(() => (missingForCluster === undefined ? cluster.end() : undefined));

/** Every node boots for the first time, each from the folder with its user-data, and with what is changed in its root. */
async function bootAll(
  compiled: Readonly<Record<string, string>> = {},
  prepare?: (root: string) => void,
): Promise<void> {
  const booted = plannedNodes.map(
    async (node) => [node.name, await cluster.boot(node, compiled[node.name], prepare)] as const,
  );
  nodes = new Map(await Promise.all(booted));
}

/** Approves what the nodes ask for, and gives them a network for pods. @returns seconds since a moment until all are ready */
async function joinAll(since: number): Promise<number> {
  await approveAll();
  for (const { metadata, spec } of await cluster.items<NodeObject>('nodes')) {
    placeCniConfig(nodeCalled(metadata.name), spec.podCIDR);
  }
  return untilAllReady(since);
}

async function bake(...argv: readonly string[]): Promise<void> {
  const { exitCode, all } = await cluster.bake(argv);
  assert.equal(exitCode, 0, all);
}

// Each node is thrown away and booted anew with the same token.
const approveAll = () => bake('approve-csrs', 'cluster.yaml', '--keep-tokens', '--timeout', '2m');

function nodeCalled(name: string): BootedNode {
  const node = nodes.get(name);
  assert.ok(node !== undefined, name);
  return node;
}

/** Does the same on every node at once. */
async function onAll<T>(work: (node: BootedNode) => Promise<T>): Promise<T[]> {
  return Promise.all([...nodes.values()].map(work));
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDR: string };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

interface Lease {
  readonly spec: { readonly renewTime: string };
}

const isReady = ({ status }: NodeObject) =>
  status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');

/**
 * Waits until every node is ready, and has said so since a moment.
 * @param onLook hears how many are not ready, each time that it looks
 * @returns seconds since that moment
 */
async function untilAllReady(since: number, onLook: (unready: number) => void = () => undefined): Promise<number> {
  await eventually('three nodes that are ready and renew their leases', 180, async () => {
    const all = await cluster.items<NodeObject>('nodes');
    onLook(all.filter((node) => !isReady(node)).length);
    const leases = await cluster.items<Lease>('leases', '--namespace=kube-node-lease');
    const renewed = leases.filter(({ spec }) => Date.parse(spec.renewTime) > since);
    return all.every(isReady) && renewed.length === plannedNodes.length ? true : undefined;
  });
  return (Date.now() - since) / 1000;
}

function test(name: string, work: () => Promise<void>): void {
  testUnless(outages, missingForCluster, name, work);
}

test('containerd that fails once at first boot: everything comes up', async () => {
  const once = 'ExecStartPre=/bin/sh -c "test -e /run/failed || { touch /run/failed; exit 1; }"';
  const since = Date.now();
  await bootAll({}, (root) => {
    const dropIn = join(root, 'etc/systemd/system/containerd.service.d');
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, 'fail-once.conf'), `[Service]\n${once}\n`);
  });
  const seconds = await joinAll(since);
  console.log(`  ready after ${seconds.toFixed(0)} s`);
  await onAll(async (node) => {
    assert.equal(await saysOn(node, 'systemctl show --property=NRestarts --value containerd.service'), '1');
    await saysOn(node, 'systemctl is-active containerd.service kube-nginx.service kubelet.service');
  });
});

const listed = (seconds: readonly number[]) => seconds.map((one) => one.toFixed(0)).join(', ');

/** Whether all repetitions are run, as in *.long.test.ts. */
const repeated = process.env['BAKE_LONG'] === '1';
/** The apiservers that fail one after the other: a few, ten where all repetitions are run. */
const rounds = (few: number) =>
  Array.from({ length: repeated ? 10 : few }, (_, round) => fallible[round % fallible.length] ?? '');

/** Sees to it that a node is connected to an apiserver: to which one kube-nginx connects it is as a throw of dice. */
async function untilUsed(address: string): Promise<void> {
  await eventually(`a node that is connected to ${address}`, 180, async () => {
    const connections = await onAll((node) =>
      saysOn(node, `ss --no-header --numeric --tcp state established dst ${address}`),
    );
    if (connections.some((list) => list !== '')) return true;
    await onAll((node) => saysOn(node, 'systemctl restart kube-nginx.service'));
    await untilAllReady(Date.now());
    return undefined;
  });
}

for (const name of ['killed', 'blackholed'] as const) {
  test(`an apiserver that is ${name}: every node stays ready`, async () => {
    const times: number[] = [];
    for (const address of rounds(1)) {
      await untilUsed(address);
      let unready = 0;
      const onLook = (count: number) => void (unready += count);
      await during(faults[name], cluster, [address], async (since) => {
        times.push(await untilAllReady(since, onLook));
        // For as long as the controller manager needs to tell that a node is gone.
        while (Date.now() < since + 50_000) {
          onLook((await cluster.items<NodeObject>('nodes')).filter((node) => !isReady(node)).length);
          await setTimeout(1000);
        }
      });
      assert.equal(unready, 0);
    }
    console.log(`  all leases renewed after ${listed(times)} s`);
  });
}

test('an apiserver that is frozen, and whose kernel still accepts: every node is back within two minutes', async () => {
  const times: number[] = [];
  for (const address of rounds(2)) {
    await untilUsed(address);
    times.push(await during(faults.frozen, cluster, [address], (since) => untilAllReady(since)));
    assert.ok((times.at(-1) ?? Infinity) < 120, listed(times));
    await untilAllReady(Date.now());
  }
  console.log(`  all leases renewed after ${listed(times)} s`);
});

interface SigningRequest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly signerName: string; readonly username: string };
  readonly status: { readonly conditions?: readonly unknown[] };
}

const clientCertificate = '/etc/kubernetes/cert/kubelet-client-current.pem';

/**
 * Boots every node for the first time, and waits until it has asked for a client certificate by one apiserver, while nobody
 * approves or signs. The other apiservers are out of reach until then, and kube-nginx leaves them alone for 30 s more
 * (failTimeout).
 */
async function requestCertificatesBy(address: string): Promise<void> {
  const others = apiServerAddresses.filter((other) => other !== address);
  await cluster.forgetNodes();
  await during(faults.blackholed, cluster, others, async () => {
    await bootAll();
    await eventually('three requests for client certificates', 60, async () => {
      const waiting = (await cluster.items<SigningRequest>('certificatesigningrequests')).filter(
        ({ spec, status }) =>
          spec.signerName === 'kubernetes.io/kube-apiserver-client-kubelet' && status.conditions === undefined,
      );
      return new Set(waiting.map(({ spec }) => spec.username)).size === plannedNodes.length ? true : undefined;
    });
  });
}

for (const [name, fault] of Object.entries(faults)) {
  test(`an apiserver that is ${name} at first boot, between CSR posted and CSR issued: nodes get it, and soon`, async () => {
    const [address = ''] = fallible;
    cluster.controlPlane.signalManager('SIGSTOP');
    await requestCertificatesBy(address);
    await during(fault, cluster, [address], async (since) => {
      cluster.controlPlane.signalManager('SIGCONT');
      const times = await onAll(async (node) => {
        // A minute until kube-nginx gives up on one that is frozen; what comes next may find the same one again.
        await eventually('a client certificate', 180, async () =>
          (await node.run(`test -s ${clientCertificate}`)).exitCode === 0 ? true : undefined,
        );
        return (Date.now() - since) / 1000;
      });
      const ready = await joinAll(since);
      console.log(`  certificates after ${listed(times)} s, all leases renewed after ${ready.toFixed(0)} s`);
    });
  });
}

for (const service of ['kube-nginx', 'containerd', 'kubelet']) {
  test(`${service} that is killed comes up again by itself`, async () => {
    const since = Date.now();
    for (const node of nodes.values()) await saysOn(node, `systemctl kill --signal=KILL ${service}.service`);
    const seconds = await untilAllReady(since);
    for (const node of nodes.values()) {
      await eventually(`${service} is active`, 60, async () =>
        (await node.run(`systemctl is-active ${service}.service`)).exitCode === 0 ? true : undefined,
      );
    }
    console.log(`  all leases renewed after ${seconds.toFixed(0)} s`);
  });
}

test('a node that is rebooted is the node that it was', async () => {
  const node = nodeCalled('node1');
  const identity =
    'cat /etc/machine-id; sha256sum $(readlink -f /etc/kubernetes/cert/kubelet-*-current.pem); stat -c "%Y %n" /etc/kubernetes/*';
  const before = await saysOn(node, identity);
  assert.equal(before.match(/kubelet-(client|server)-/g)?.length, 2, before);
  const requests = await cluster.kubectl('get', 'certificatesigningrequests', '--output=name');
  await node.stop();
  const since = Date.now();
  await node.start();
  const seconds = await untilAllReady(since);
  console.log(`  ready after ${seconds.toFixed(0)} s`);
  assert.equal(await saysOn(node, identity), before);
  assert.equal(await cluster.kubectl('get', 'certificatesigningrequests', '--output=name'), requests);
  assert.equal(await saysOn(node, 'systemctl list-units --state=failed --plain --no-legend'), '');
});

/** bake-check fails on a node for this reason. */
async function expectReason(node: BootedNode, reason: RegExp): Promise<void> {
  const { exitCode, stderr } = await node.run('/opt/k8s/bin/bake-check');
  assert.match(stderr, reason);
  assert.equal(exitCode, 1);
}

test('no apiserver: bake-check says so, and how each was tried', () =>
  during(faults.blackholed, cluster, apiServerAddresses, () => {
    const tried = apiServerAddresses.map((address) => `${address}:6443 \\(no answer within 3 seconds\\)`);
    return expectReason(nodeCalled('node1'), new RegExp(`^no-apiserver: .*: ${tried.join(', ')}$`, 'm'));
  }));

/** The output for the same cluster, described with the CA of another one. */
async function compileForAnotherCa(): Promise<string> {
  const at = (name: string) => join(cluster.out, '..', name);
  copyFileSync(join(import.meta.dirname, '../support/certificates/another-ca.pem'), at('another-ca.pem'));
  const description = readFileSync(at('cluster.yaml'), 'utf8');
  writeFileSync(
    at('another.yaml'),
    description.replace('certificateAuthority: ca.pem', 'certificateAuthority: another-ca.pem'),
  );
  await bake('compile', 'another.yaml', '-o', 'another');
  return at('another');
}

async function expireTokens(): Promise<void> {
  const ofTokens = '--field-selector=type=bootstrap.kubernetes.io/token';
  const names = await cluster.kubectl('get', 'secrets', '--namespace=kube-system', ofTokens, '--output=name');
  const past = JSON.stringify({ stringData: { expiration: '2020-08-03T14:12:04Z' } });
  for (const name of names.split('\n'))
    await cluster.kubectl('patch', name, '--namespace=kube-system', '--patch', past);
}

test('an expired token, and the CA of another cluster, at first boot: bake-check says which', async () => {
  await cluster.forgetNodes();
  await expireTokens();
  await bootAll({ node1: join(await compileForAnotherCa(), 'nodes/node1') });
  await expectReason(nodeCalled('master'), /^token-refused: .*bake token rotate master/);
  await expectReason(
    nodeCalled('node1'),
    /^ca-refused: .* signed by CN=kubernetes.*, and this node's user-data trusts CN=another, /,
  );
  await expectReason(nodeCalled('node2'), /^token-refused: .*bake token rotate node2/);
});

test('new tokens and new user-data mend both: with a reboot on NoCloud, elsewhere by the command of the README', async () => {
  await bake('token', 'rotate', '-f', 'cluster.yaml');
  await bake('compile', 'cluster.yaml', '-o', 'out');
  await cluster.kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
  const [command = 'none'] =
    /^sudo cloud-init .*$/m.exec(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')) ?? [];
  const compiled = (node: string) => join(cluster.out, 'nodes', node);
  const master = nodeCalled('master');
  copyFileSync(join(compiled('master'), 'user-data'), join(master.root, 'root/user-data'));
  await saysOn(master, `cd /root && ${command}`);
  for (const name of ['node1', 'node2']) {
    const node = nodeCalled(name);
    cpSync(compiled(name), join(node.root, 'var/lib/cloud/seed/nocloud'), { recursive: true });
    await node.stop();
    await node.start();
  }
  await approveAll();
  await onAll((node) =>
    eventually('a node that has joined', 60, async () =>
      (await node.run('/opt/k8s/bin/bake-check')).exitCode === 0 ? true : undefined,
    ),
  );
  assert.equal((await master.run('test -e /root/user-data')).exitCode, 1);
});

/** A copy of what is compiled for a node, with only the first bytes of its user-data. */
function cutUserData(node: string, bytes: number): string {
  const whole = join(cluster.out, 'nodes', node);
  const cut = join(cluster.out, '..', `${node}-${bytes}`);
  cpSync(whole, cut, { recursive: true });
  writeFileSync(join(cut, 'user-data'), readFileSync(join(whole, 'user-data')).subarray(0, bytes));
  return cut;
}

/** Every 64th byte at which each node's user-data can be cut; three of them unless all repetitions are run. */
function cutsToTry(): number[] {
  const sizes = plannedNodes.map(({ name }) => statSync(join(cluster.out, 'nodes', name, 'user-data')).size);
  const all = Array.from({ length: Math.floor((Math.min(...sizes) - 1) / 64) }, (_, index) => (index + 1) * 64);
  return repeated ? all : [0.3, 0.7, 1].map((share) => all[Math.ceil(share * all.length) - 1] ?? 0);
}

test('user-data that was cut short: kubelet never starts, and bake-check fails', async () => {
  const cuts = cutsToTry();
  for (let from = 0; from < cuts.length; from += plannedNodes.length) {
    await cluster.forgetNodes();
    // Of the last few, where they are fewer than the nodes, one comes twice.
    const of = plannedNodes.map(
      ({ name }, index) => [name, cutUserData(name, cuts[from + index] ?? cuts[0] ?? 0)] as const,
    );
    await bootAll(Object.fromEntries(of));
    await onAll(async (node) => {
      const started = 'systemctl show --property=ExecMainStartTimestampMonotonic --value kubelet.service';
      assert.equal(await saysOn(node, started), '0');
      await expectReason(node, /^broken-user-data: /);
    });
  }
  console.log(`  cut at ${cuts.join(', ')} bytes`);
});

outages.run();
