import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { suite } from 'uvu';
import type { BootedNode } from '../support/booted-node.ts';
import { expectGoodBoot, kubeletLead, saysOn } from '../support/expect-boot.ts';
import { pauseImage } from '../support/image-command.ts';
import { missingForCluster, plannedNodes, startRealCluster, type RealCluster } from '../support/real-cluster.ts';
import { beforeUnless, testUnless } from '../support/skip.ts';
import { eventually } from '../support/virtual-machine.ts';

// What boot.test.ts has once, ten times over, and what takes kubelet minutes. The control plane, the image and the nodes are
// those of boot.test.ts.
const cluster = suite('cluster');

let real: RealCluster;
let nodes: BootedNode[] = [];

beforeUnless(cluster, missingForCluster, async () => {
  real = await startRealCluster();
  await real.kubectl('apply', '-R', '-f', join(real.out, 'manifests'));
});
cluster.after(() => (missingForCluster === undefined ? real.end() : undefined));

/** Every node boots for the first time, and the cluster comes to know it. */
async function bootAll(): Promise<void> {
  nodes = await Promise.all(plannedNodes.map((node) => real.boot(node)));
  await eventually('three nodes that have registered', 60, async () => {
    const names = await real.kubectl('get', 'nodes', '--output=name');
    return names.split('\n').filter((name) => name !== '').length === plannedNodes.length ? true : undefined;
  });
}

testUnless(cluster, missingForCluster, 'in ten boots of three nodes, kubelet runs before cloud-final', async () => {
  const leads: number[] = [];
  for (let round = 1; round <= 10; round++) {
    if (round > 1) await real.forgetNodes();
    await bootAll();
    for (const node of nodes) {
      await expectGoodBoot(node);
      leads.push(await kubeletLead(node));
    }
  }
  leads.sort((one, other) => one - other);
  console.log(`  kubelet's lead over cloud-final in ${leads.length} boots: ${leads.map(Math.round).join(' ')} ms`);
  assert.equal(leads.length, 30);
  assert.ok((leads[0] ?? 0) > 0, `${leads[0]} ms`);
});

/** kubelet's image garbage collection takes every image that no container uses, as soon as it looks. */
const greedy = {
  imageGCHighThresholdPercent: '1',
  imageGCLowThresholdPercent: '0',
  imageMinimumGCAge: '1s',
};

/** Changes fields of a node's kubelet configuration, which it takes from the next start on. */
function configureKubelet(node: BootedNode, fields: Readonly<Record<string, string>>): void {
  const config = '/etc/kubernetes/kubelet-config.yaml';
  let text = readFileSync(join(node.root, config), 'utf8');
  for (const [name, value] of Object.entries(fields)) {
    assert.match(text, new RegExp(`^${name}: `, 'm'));
    text = text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${value}`);
  }
  writeFileSync(join(node.root, config), text);
  const list = join(node.root, '/etc/kubernetes/bake.sha256');
  const digest = createHash('sha256').update(text).digest('hex');
  writeFileSync(list, readFileSync(list, 'utf8').replace(new RegExp(`^[0-9a-f]+(?=  ${config}$)`, 'm'), digest));
}

testUnless(cluster, missingForCluster, 'the pause image outlives the garbage collection of images', async () => {
  const [node] = nodes;
  assert.ok(node !== undefined);
  const unused = 'registry.example.com/unused:1';
  await real.importImage(node, unused, join(import.meta.dirname, '../support/pod/speak.c'));
  // One percent of the file system has to be in use, or nothing is collected.
  await saysOn(node, 'fallocate --length 600M /data/k8s/containerd/filler');
  configureKubelet(node, greedy);
  await saysOn(node, 'systemctl restart kubelet.service');
  const images = async () =>
    (await saysOn(node, '/opt/k8s/bin/ctr --namespace k8s.io images list --quiet')).split('\n');
  assert.ok((await images()).includes(unused));
  // kubelet looks every five minutes; it has no figures yet when it looks first.
  await eventually('an image collected that nobody uses', 700, async () =>
    (await images()).includes(unused) ? undefined : true,
  );
  assert.ok((await images()).includes(pauseImage), (await images()).join('\n'));
});

cluster.run();
