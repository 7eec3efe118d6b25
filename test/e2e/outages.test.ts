import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import type { BootedNode } from '../support/booted-node.ts';
import { placeCniConfig } from '../support/cni-config.ts';
import { apiServerAddresses } from '../support/control-plane.ts';
import { saysOn } from '../support/expect-boot.ts';
import { missingForCluster, plannedNodes, startRealCluster, type RealCluster } from '../support/real-cluster.ts';
import { testUnless } from '../support/skip.ts';
import { eventually } from '../support/virtual-machine.ts';

// What nodes that have joined live through. The control plane, the image and the nodes are those of boot.test.ts, and each
// test finds all nodes ready. Times are printed, and depend on the machine.
const outages = suite('outages');

let cluster: RealCluster;
let nodes = new Map<string, BootedNode>();

outages.before(async () => {
  if (missingForCluster !== undefined) return;
  try {
    cluster = await startRealCluster();
    await kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
    nodes = new Map(
      await Promise.all(plannedNodes.map(async (node) => [node.name, await cluster.boot(node)] as const)),
    );
    const { exitCode, all } = await cluster.bake(['approve-csrs', 'cluster.yaml', '--timeout', '2m']);
    assert.equal(exitCode, 0, all);
    for (const { metadata, spec } of await items<NodeObject>('nodes')) {
      const node = nodes.get(metadata.name);
      assert.ok(node !== undefined);
      placeCniConfig(node, spec.podCIDR);
    }
    await untilAllReady(Date.now());
  } catch (error) {
    // uvu says nothing of it.
    console.log(error);
    throw error;
  }
});
outages.after(() => (missingForCluster === undefined ? cluster.end() : undefined));

/** Runs kubectl as admin, by an apiserver of the three; fails with what it said when it fails. */
async function kubectl(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, all } = await cluster.controlPlane.kubectl(argv);
  assert.equal(exitCode, 0, `kubectl ${argv.join(' ')}: ${all}`);
  return stdout;
}

async function items<T>(resource: string, ...options: readonly string[]): Promise<T[]> {
  return (JSON.parse(await kubectl('get', resource, '--output=json', ...options)) as { items: T[] }).items;
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

/** Another apiserver than the one that is out of order. */
const besides = (address: string) =>
  `--server=https://${apiServerAddresses.find((other) => other !== address) ?? ''}:6443`;

/**
 * Waits until every node is ready, and has said so since a moment.
 * @param onLook hears how many are not ready, each time that it looks
 * @returns seconds since that moment
 */
async function untilAllReady(
  since: number,
  { by = besides(''), onLook = () => undefined }: { by?: string; onLook?: (unready: number) => void } = {},
): Promise<number> {
  await eventually('three nodes that are ready and renew their leases', 180, async () => {
    const all = await items<NodeObject>('nodes', by);
    onLook(all.filter((node) => !isReady(node)).length);
    const leases = await items<Lease>('leases', '--namespace=kube-node-lease', by);
    const renewed = leases.filter(({ spec }) => Date.parse(spec.renewTime) > since);
    return all.every(isReady) && renewed.length === plannedNodes.length ? true : undefined;
  });
  return (Date.now() - since) / 1000;
}

function test(name: string, work: () => Promise<void>): void {
  testUnless(outages, missingForCluster, name, work);
}

const listed = (seconds: readonly number[]) => seconds.map((one) => one.toFixed(0)).join(', ');

test('an apiserver that is killed: every node stays ready', async () => {
  const times: number[] = [];
  for (const address of apiServerAddresses) {
    let unready = 0;
    const by = besides(address);
    const since = Date.now();
    cluster.controlPlane.signal(address, 'SIGKILL');
    const onLook = (count: number) => void (unready += count);
    times.push(await untilAllReady(since, { by, onLook }));
    // For as long as the controller manager needs to tell that a node is gone.
    while (Date.now() < since + 50_000) {
      onLook((await items<NodeObject>('nodes', by)).filter((node) => !isReady(node)).length);
      await setTimeout(1000);
    }
    assert.equal(unready, 0);
    await cluster.controlPlane.restart(address);
  }
  console.log(`  all leases renewed after ${listed(times)} s`);
});

test('an apiserver that is frozen, and whose kernel still accepts: every node is back within two minutes', async () => {
  const times: number[] = [];
  for (const address of apiServerAddresses) {
    const since = Date.now();
    cluster.controlPlane.signal(address, 'SIGSTOP');
    try {
      times.push(await untilAllReady(since, { by: besides(address) }));
    } finally {
      cluster.controlPlane.signal(address, 'SIGCONT');
    }
    assert.ok((times.at(-1) ?? Infinity) < 120, listed(times));
    await untilAllReady(Date.now());
  }
  console.log(`  all leases renewed after ${listed(times)} s`);
});

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
  const node = nodes.get('node1');
  assert.ok(node !== undefined);
  const identity =
    'cat /etc/machine-id; sha256sum $(readlink -f /etc/kubernetes/cert/kubelet-*-current.pem); stat -c "%Y %n" /etc/kubernetes/*';
  const before = await saysOn(node, identity);
  assert.equal(before.match(/kubelet-(client|server)-/g)?.length, 2, before);
  const requests = await kubectl('get', 'certificatesigningrequests', '--output=name');
  await node.stop();
  const since = Date.now();
  await node.start();
  const seconds = await untilAllReady(since);
  console.log(`  ready after ${seconds.toFixed(0)} s`);
  assert.equal(await saysOn(node, identity), before);
  assert.equal(await kubectl('get', 'certificatesigningrequests', '--output=name'), requests);
  assert.equal(await saysOn(node, 'systemctl list-units --state=failed --plain --no-legend'), '');
});

outages.run();
