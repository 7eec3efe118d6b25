import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import { parse, stringify } from 'yaml';
import type { BootedNode } from '../support/booted-node.ts';
import { placeCniConfig } from '../support/cni-config.ts';
import { buildImage } from '../support/container/build-image.ts';
import { saysOn } from '../support/expect-boot.ts';
import { importArchive } from '../support/import-archive.ts';
import {
  missingForCluster,
  plannedNodes,
  startRealCluster,
  type PlannedNode,
  type RealCluster,
} from '../support/real-cluster.ts';
import { restrictOomScore } from '../support/restrict-oom-score.ts';
import { beforeUnless, testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';
import { eventually } from '../support/virtual-machine.ts';

// The approver in the cluster: the image is built by the Dockerfile, and runs as the Deployment of out/manifests/approver on
// nodes of the cluster whose certificates it approves. There is no scheduler, nor kube-proxy: the test binds the pods to
// nodes and leads them to an apiserver. Each test goes on from where the one before it has left the cluster.
const approver = suite('the approver in the cluster');
const buildah = await tryPart('buildah');
const missing = missingForCluster ?? buildah.missing;
const image = 'registry.example.com/bake:0.1.0';

let cluster: RealCluster;
let archive: string;
let nodes: (PlannedNode & { machine: BootedNode })[] = [];

beforeUnless(approver, missing, async () => {
  cluster = await startRealCluster();
});
approver.after(() => (missing === undefined ? cluster.end() : undefined));

const test = (name: string, work: () => Promise<void>): void => testUnless(approver, missing, name, work);
const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(0)} s`;

function nodeCalled(name: string): BootedNode {
  const node = nodes.find((planned) => planned.name === name);
  assert.ok(node !== undefined);
  return node.machine;
}

test('the Dockerfile makes an image', async () => {
  const from = performance.now();
  archive = await buildImage(buildah.folder, image, join(dirname(cluster.out), 'container'));
  console.log(`  built in ${seconds(from)}`);
});

/** Compiles the approver of a plan with some of the nodes, and applies it. */
async function apply(...names: readonly string[]): Promise<void> {
  const folder = dirname(cluster.out);
  const description = parse(readFileSync(join(folder, 'cluster.yaml'), 'utf8')) as { nodes: { name: string }[] };
  const planned = description.nodes.filter(({ name }) => names.includes(name));
  writeFileSync(join(folder, 'approver.yaml'), stringify({ ...description, nodes: planned, approver: { image } }));
  const { exitCode, all } = await cluster.bake(['compile', 'approver.yaml', '-o', 'approver']);
  assert.equal(exitCode, 0, all);
  await cluster.kubectl('apply', '-R', '-f', join(folder, 'approver/manifests/approver'));
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

const inSystem = '--namespace=kube-system';
const pods = () => cluster.items<Pod>('pods', inSystem, '--selector=app.kubernetes.io/name=bake-approver');

/** What a scheduler does. */
async function bind({ metadata: { name } }: Pod, node: string): Promise<void> {
  const target = { apiVersion: 'v1', kind: 'Node', name: node };
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace: 'kube-system' }, target };
  const file = join(dirname(cluster.out), 'binding.json');
  writeFileSync(file, JSON.stringify(binding));
  await cluster.kubectl('create', '--raw', `/api/v1/namespaces/kube-system/pods/${name}/binding`, '-f', file);
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDR?: string };
}

test('its two pods are ready on nodes that have no serving certificate yet', async () => {
  await cluster.kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
  await apply('master', 'node1');
  nodes = await Promise.all(plannedNodes.map(async (node) => ({ ...node, machine: await cluster.boot(node) })));
  const registered = await eventually('three nodes with a pod CIDR', 60, async () => {
    const all = await cluster.items<NodeObject>('nodes');
    return all.filter(({ spec }) => spec.podCIDR !== undefined).length === nodes.length ? all : undefined;
  });
  for (const { metadata, spec } of registered) placeCniConfig(nodeCalled(metadata.name), spec.podCIDR ?? '');
  const homes = ['master', 'node1'];
  for (const name of homes) {
    await restrictOomScore(nodeCalled(name));
    await cluster.leadPods(nodeCalled(name));
    await importArchive(nodeCalled(name), archive);
  }
  const made = await eventually('two pods', 60, async () => {
    const all = await pods();
    return all.length === homes.length ? all : undefined;
  });
  for (const [index, pod] of made.entries()) await bind(pod, homes[index] ?? '');
  const from = performance.now();
  await eventually('two pods that are ready', 90, async () => {
    const all = (await pods()).map(({ status }) => status.conditions?.find(({ type }) => type === 'Ready')?.status);
    return all.every((status) => status === 'True') ? true : undefined;
  }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await cluster.kubectl('describe', 'pods', inSystem)}`);
  });
  console.log(`  ready after ${seconds(from)}`);
});

const serving = '/etc/kubernetes/cert/kubelet-server-current.pem';

function untilServing(name: string, atMost: number): Promise<true> {
  return eventually(`the serving certificate of ${name}`, atMost, async () => {
    const { exitCode } = await nodeCalled(name).run(`test -s ${serving}`);
    return exitCode === 0 ? true : undefined;
  });
}

/** The pod that approves, by the Lease. */
async function leader(): Promise<Pod> {
  const holder = await cluster.kubectl(
    'get',
    'lease',
    'bake-approver',
    inSystem,
    '--output=jsonpath={.spec.holderIdentity}',
  );
  const pod = (await pods()).find(({ metadata: { name } }) => holder.startsWith(`${name}_`));
  assert.ok(pod !== undefined, holder);
  return pod;
}

const logsOf = ({ metadata: { name } }: Pod) => cluster.kubectl('logs', inSystem, name);

interface AuditLine {
  readonly node: string;
  readonly verdict: string;
  readonly reason: string;
}

async function auditOf(pod: Pod): Promise<AuditLine[]> {
  const lines = (await logsOf(pod)).split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as AuditLine);
}

test('they approve what is in their inventory, and nothing else', async () => {
  await untilServing('master', 60);
  await untilServing('node1', 60);
  const pod = await leader();
  const told = await eventually('what is thought of all three', 30, async () => {
    const all = await auditOf(pod);
    return all.length >= nodes.length ? all : undefined;
  });
  assert.deepEqual(told.map(({ node, verdict, reason }) => `${node} ${verdict} ${reason}`).sort(), [
    'master approve as-planned',
    'node1 approve as-planned',
    'node2 refuse node-not-planned',
  ]);
  assert.equal((await nodeCalled('node2').run(`test -s ${serving}`)).exitCode, 1);
});

test('one of them leads; both say so to Prometheus', async () => {
  const { metadata } = await leader();
  for (const { metadata: own, spec, status } of await pods()) {
    const metrics = await saysOn(
      nodeCalled(spec.nodeName ?? ''),
      `curl --silent http://${status.podIP ?? ''}:9441/metrics`,
    );
    const leads = own.name === metadata.name;
    assert.match(metrics, new RegExp(`^bake_leader ${Number(leads)}$`, 'm'));
    const approved = /^bake_csr_decisions_total\{use="serving",verdict="approve",reason="as-planned"\} 2$/m;
    assert.equal(approved.test(metrics), leads, metrics);
  }
});

test('they run as nobody, write nothing, and may do no more than approve', async () => {
  const { metadata } = await leader();
  const tried = `
    const { writeFileSync, readFileSync } = require('node:fs');
    const attempt = (file) => { try { writeFileSync(file, ''); return 'written'; } catch ({ code }) { return code; } };
    const status = readFileSync('/proc/self/status', 'utf8');
    const [, capabilities] = /^CapEff:\\s*(\\S+)$/m.exec(status);
    console.log(process.getuid(), process.getgid(), attempt('/bake/file'), attempt('/tmp/file'), Number('0x' + capabilities));`;
  const said = await cluster.kubectl('exec', inSystem, metadata.name, '--', 'node', '-e', tried);
  assert.equal(said, '65532 65532 EROFS EROFS 0');
  const may = await cluster.kubectl(
    'auth',
    'can-i',
    '--list',
    inSystem,
    '--as=system:serviceaccount:kube-system:bake-approver',
  );
  const granted = may.split('\n').filter((line) => /bake-approver|certificatesigning|signers|secrets/.test(line));
  assert.deepEqual(
    granted.map((line) => line.replace(/ +/g, ' ').trim()).sort(),
    [
      'certificatesigningrequests.certificates.k8s.io [] [] [list watch]',
      'certificatesigningrequests.certificates.k8s.io/approval [] [] [update]',
      'leases.coordination.k8s.io [] [bake-approver] [get update]',
      'signers.certificates.k8s.io [] [kubernetes.io/kubelet-serving] [approve]',
    ],
    may,
  );
});

test('a node that is planned later is approved once the inventory has come to them', async () => {
  const from = performance.now();
  await apply('master', 'node1', 'node2');
  await untilServing('node2', 150);
  console.log(`  approved and issued ${seconds(from)} after kubectl apply`);
});

test('when the node of the leader is lost, the other goes on', async () => {
  const lost = (await leader()).spec.nodeName ?? '';
  await nodeCalled(lost).end();
  const from = performance.now();
  const { machine } = nodes.find(({ name }) => name === 'node2') ?? assert.fail();
  await saysOn(machine, 'rm /etc/kubernetes/cert/kubelet-server-*.pem && systemctl restart kubelet.service');
  await untilServing('node2', 90);
  console.log(`  the other approves; issued ${seconds(from)} after the loss`);
  assert.notEqual((await leader()).spec.nodeName, lost);
});

approver.run();
