import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { parse, stringify } from 'yaml';
import type { Architecture } from '../../src/cluster/cluster.ts';
import type { BootedNode } from '../support/booted-node.ts';
import { placeCniConfig } from '../support/cni-config.ts';
import { expectGoodBoot, kubeletLead, saysOn } from '../support/expect-boot.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { pauseImage } from '../support/image-command.ts';
import {
  missingForCluster,
  plannedNodes,
  startRealCluster,
  type PlannedNode,
  type RealCluster,
} from '../support/real-cluster.ts';
import { restrictOomScore } from '../support/restrict-oom-score.ts';
import { beforeUnless, testUnless } from '../support/skip.ts';
import { eventually } from '../support/virtual-machine.ts';

// The guide from end to end, with no mock: etcd, three kube-apiservers and kube-controller-manager of Kubernetes 1.18.6, and
// three nodes that systemd-nspawn boots from the root file system that `bake image` has made, with the compiled user-data.
// crictl is a script, as it cannot be had here, and files stand in for six settings of the kernel (rehearsal/init). Each
// test goes on from where the one before it has left the cluster.
const boot = suite('boot');

let cluster: RealCluster;
let nodes: (PlannedNode & { machine: BootedNode })[] = [];

beforeUnless(boot, missingForCluster, async () => {
  const from = performance.now();
  cluster = await startRealCluster();
  console.log(`  control plane up, image baked, nodes compiled in ${seconds(from)}`);
});
boot.after(() => (missingForCluster === undefined ? cluster.end() : undefined));

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(0)} s`;

function test(name: string, work: () => Promise<void>): void {
  testUnless(boot, missingForCluster, name, work);
}

test('kubectl apply accepts the manifests, twice', async () => {
  for (const attempt of ['created', 'unchanged|configured']) {
    const all = await cluster.kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
    const lines = all.trim().split('\n');
    assert.equal(lines.filter((line) => /^secret\/bootstrap-token-/.test(line)).length, plannedNodes.length, all);
    for (const line of lines) assert.match(line, new RegExp(` (${attempt})$`));
  }
});

test('the nodes boot: cloud-init is done, no unit has failed, none waits for itself', async () => {
  const from = performance.now();
  nodes = await Promise.all(plannedNodes.map(async (node) => ({ ...node, machine: await cluster.boot(node) })));
  console.log(`  three nodes booted in ${seconds(from)}`);
  for (const { name, machine } of nodes) {
    await expectGoodBoot(machine);
    assert.equal(await saysOn(machine, 'hostname'), name);
  }
});

test('kubelet runs before the last stage of cloud-init begins', async () => {
  for (const { name, machine } of nodes) {
    const lead = await kubeletLead(machine);
    assert.ok(lead > 0, `${name}: ${lead} ms`);
    console.log(`  ${name}: ${lead.toFixed(0)} ms before cloud-final`);
  }
});

interface SigningRequest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly signerName: string; readonly username: string; readonly request: string };
  readonly status: { readonly certificate?: string; readonly conditions?: readonly { readonly type: string }[] };
}

async function requests(signer: string): Promise<SigningRequest[]> {
  const all = await cluster.items<SigningRequest>('certificatesigningrequests');
  return all.filter(({ spec }) => spec.signerName === `kubernetes.io/${signer}`);
}

test('the cluster approves and issues the client certificates, one for each node', async () => {
  const issued = await eventually('three client certificates', 60, async () => {
    const all = await requests('kube-apiserver-client-kubelet');
    return all.filter(({ status }) => status.certificate !== undefined).length === nodes.length ? all : undefined;
  });
  const subjects = issued.map(
    ({ status }) => new X509Certificate(Buffer.from(status.certificate ?? '', 'base64')).subject,
  );
  assert.deepEqual(subjects.sort(), nodes.map(({ name }) => `O=system:nodes\nCN=system:node:${name}`).sort());
  for (const { spec } of issued) assert.match(spec.username, /^system:bootstrap:[a-z0-9]{6}$/);
});

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly podCIDR: string };
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  };
}

const readiness = ({ status }: NodeObject) => status.conditions.find(({ type }) => type === 'Ready');

test('they register under their planned names and addresses; for want of a CNI config they are not ready', async () => {
  const registered = await eventually('three nodes that say why they are not ready', 60, async () => {
    const all = await cluster.items<NodeObject>('nodes');
    // Before kubelet knows, it says other things.
    const told = all.filter((node) => readiness(node)?.message.includes('cni plugin not initialized'));
    return told.length === nodes.length ? told : undefined;
  });
  for (const node of registered) assert.equal(readiness(node)?.status, 'False');
  assert.deepEqual(
    registered.map(({ metadata, status }) => ({ name: metadata.name, addresses: status.addresses })),
    nodes.map(({ name, address }) => ({
      name,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
    })),
  );
  // kubelet would otherwise take the address of the default route.
  for (const { uplink, machine } of nodes) {
    const route = await saysOn(machine, 'ip route show default');
    assert.match(route, uplink === undefined ? / dev host0 / : / dev host1 /);
  }
});

test('kubelet reaches the apiservers through kube-nginx only', async () => {
  for (const node of nodes) {
    const connections = (
      await saysOn(node.machine, 'ss --no-header --numeric --tcp --processes state established')
    ).split('\n');
    const peersOf = (program: string) =>
      connections.filter((line) => line.includes(`"${program}"`)).map((line) => line.trim().split(/ +/)[3] ?? '');
    const kubelet = peersOf('kubelet').filter((peer) => !peer.endsWith(':10250'));
    assert.ok(kubelet.length > 0, connections.join('\n'));
    assert.deepEqual([...new Set(kubelet)], ['127.0.0.1:8443'], connections.join('\n'));
    const nginx = peersOf('kube-nginx').filter((peer) => peer.endsWith(':6443'));
    assert.equal(nginx.length, kubelet.length, connections.join('\n'));
  }
});

const serving = '/etc/kubernetes/cert/kubelet-server-current.pem';

test('the serving certificates wait for approval, and bake-check says so', async () => {
  const pending = await eventually('three requests for serving certificates', 60, async () => {
    const all = await requests('kubelet-serving');
    return all.length >= nodes.length ? all : undefined;
  });
  assert.deepEqual(
    pending.map(({ spec }) => spec.username).sort(),
    nodes.map(({ name }) => `system:node:${name}`).sort(),
  );
  for (const { status } of pending) assert.deepEqual(status, {});
  for (const node of nodes) {
    assert.equal((await node.machine.run(`test -s ${serving}`)).exitCode, 1);
    const { exitCode, stderr } = await node.machine.run('/opt/k8s/bin/bake-check');
    assert.match(stderr, /^serving-csr-not-approved: /);
    assert.equal(exitCode, 1);
  }
});

test('bake approve-csrs approves exactly those: they are on disk, and every node has joined', async () => {
  const [first] = await requests('kubelet-serving');
  // What a node has asked for, asked for by somebody else.
  const { signerName = '', request = '' } = first?.spec ?? {};
  const stranger = {
    apiVersion: 'certificates.k8s.io/v1beta1',
    kind: 'CertificateSigningRequest',
    metadata: { name: 'stranger' },
    spec: { signerName, request, usages: ['digital signature', 'key encipherment', 'server auth'] },
  };
  await cluster.apply(stranger);

  const from = performance.now();
  const { exitCode, stdout, stderr, all } = await cluster.bake(['approve-csrs', 'cluster.yaml']);
  assert.equal(exitCode, 0, all);
  console.log(`  approved and issued in ${seconds(from)}`);
  const reported = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ +/).slice(0, 2).join(' '));
  assert.deepEqual(reported.sort(), nodes.map(({ name }) => `${name} issued`).sort());
  assert.match(stderr, /"csr":"stranger".*"reason":"requester-not-a-node"/);
  const left = (await requests('kubelet-serving')).filter(({ status }) => status.conditions === undefined);
  assert.deepEqual(
    left.map(({ metadata }) => metadata.name),
    ['stranger'],
  );
  for (const node of nodes) {
    await eventually(`the serving certificate of ${node.name}`, 60, async () => {
      const { exitCode } = await node.machine.run(`test -s ${serving}`);
      return exitCode === 0 ? true : undefined;
    });
    const { subject, subjectAltName } = new X509Certificate(await saysOn(node.machine, `cat ${serving}`));
    assert.equal(subject, `O=system:nodes\nCN=system:node:${node.name}`);
    assert.equal(subjectAltName, `DNS:${node.name}, IP Address:${node.address}`);
    const lines = (await saysOn(node.machine, '/opt/k8s/bin/bake-check')).split('\n');
    assert.equal(lines.at(-1), `ok      registered as ${node.name}`);
  }
  assert.match(stderr, /^3 bootstrap tokens are gone from the cluster and cluster\.tokens\.json, /m);
  assert.equal(await tokenSecrets(), '');
});

const tokenSecrets = () =>
  cluster.kubectl(
    'get',
    'secrets',
    '--namespace=kube-system',
    '--field-selector=type=bootstrap.kubernetes.io/token',
    '--output=name',
  );

/** The status of a kubelet's answer, asked as from a master, which trusts the CA alone. */
async function ask(
  address: string,
  path: string,
  ...who: readonly string[]
): Promise<{ status: string; body: string }> {
  const argv = ['curl', '--silent', '--show-error', '--cacert', '/identities/ca.pem', '--write-out', '\\n%{http_code}'];
  const { exitCode, stdout, all } = await cluster.run(['env', ...argv, ...who, `https://${address}:10250${path}`]);
  assert.equal(exitCode, 0, all);
  const end = stdout.lastIndexOf('\n');
  return { status: stdout.slice(end + 1), body: stdout.slice(0, end) };
}

const asUser = (name: string) => ['--cert', `/identities/${name}.pem`, '--key', `/identities/${name}.key`];

/** Of a ServiceAccount that may call kubelets, made as the guide makes it. */
async function kubeletApiToken(): Promise<string> {
  const name = 'kubelet-api-test';
  await cluster.kubectl('create', 'serviceaccount', name);
  const binding = ['--clusterrole=system:kubelet-api-admin', `--serviceaccount=default:${name}`];
  await cluster.kubectl('create', 'clusterrolebinding', name, ...binding);
  const secret = await eventually('a token of the ServiceAccount', 30, async () => {
    const found = await cluster.kubectl('get', 'serviceaccount', name, '--output=jsonpath={.secrets[0].name}');
    return found === '' ? undefined : found;
  });
  const token = await cluster.kubectl('get', 'secret', secret, '--output=jsonpath={.data.token}');
  return Buffer.from(token, 'base64').toString();
}

test('kubelet answers who may ask: 401 without credentials, 403 to a weak certificate, 200 to an admin and a token', async () => {
  const token = await kubeletApiToken();
  for (const { address } of nodes) {
    assert.equal((await ask(address, '/metrics')).status, '401');
    assert.equal((await ask(address, '/metrics', ...asUser('kube-controller-manager'))).status, '403');
    assert.equal((await ask(address, '/metrics', '--header', `Authorization: Bearer ${token}`)).status, '200');
    const metrics = await ask(address, '/metrics', ...asUser('admin'));
    assert.equal(metrics.status, '200', metrics.body);
    assert.match(metrics.body, /^kubelet_node_name\{node="[a-z0-9]+"\} 1$/m);
    const cadvisor = await ask(address, '/metrics/cadvisor', ...asUser('admin'));
    assert.equal(cadvisor.status, '200', cadvisor.body);
    assert.match(cadvisor.body, /^container_cpu_usage_seconds_total\{.*id="\/"/m);
  }
});

test('they are ready once a CNI config is placed', async () => {
  const from = performance.now();
  for (const { metadata, spec } of await cluster.items<NodeObject>('nodes')) {
    const node = nodes.find(({ name }) => name === metadata.name);
    assert.ok(node !== undefined);
    placeCniConfig(node.machine, spec.podCIDR);
  }
  await eventually('three nodes that are ready', 90, async () => {
    const all = await cluster.items<NodeObject>('nodes');
    return all.every((node) => readiness(node)?.status === 'True') ? true : undefined;
  });
  console.log(`  ready after ${seconds(from)}`);
});

/** The pause image is the image's own; this one has been imported. */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'speak' },
  spec: {
    nodeName: 'node1',
    containers: [
      {
        name: 'speak',
        image: 'registry.example.com/speak:1',
        imagePullPolicy: 'Never',
        resources: { limits: { cpu: '100m', memory: '64Mi' } },
      },
    ],
  },
};

test('a pod starts without any registry; kubectl logs and exec reach it', async () => {
  const node = nodes.find(({ name }) => name === pod.spec.nodeName);
  assert.ok(node !== undefined);
  await restrictOomScore(node.machine);
  const [container] = pod.spec.containers;
  const source = join(import.meta.dirname, '../support/pod/speak.c');
  await cluster.importImage(node.machine, container?.image ?? '', source);
  await cluster.apply(pod);
  await eventually('a pod that runs', 60, async () => {
    const phase = await cluster.kubectl('get', 'pod', 'speak', '--output=jsonpath={.status.phase}');
    return phase === 'Running' ? true : undefined;
  }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await cluster.kubectl('describe', 'pod', 'speak')}`);
  });
  assert.equal(await cluster.kubectl('logs', 'speak'), 'running');
  assert.equal(await cluster.kubectl('exec', 'speak', '--', '/program', 'hello', 'there'), 'hello\nthere');
});

test('a tarball that does not hold the pause image of the node is refused, and that is told', async () => {
  const { machine } = nodes[0] ?? assert.fail();
  const folder = join(machine.root, 'root/bake');
  mkdirSync(join(folder, 'artifacts'), { recursive: true });
  const scripts = ['quietly.sh', 'import-sandbox-image.sh'];
  for (const name of scripts) copyFileSync(join(import.meta.dirname, '../../scripts', name), join(folder, name));
  const script = `BAKE_FOLDER=/root/bake SANDBOX_IMAGE=${pauseImage} bash /root/bake/import-sandbox-image.sh`;
  const refused = async (reference: string, architecture: Architecture): Promise<string> => {
    await writeImageArchive(join(folder, 'artifacts/sandbox-image.tar'), reference, '', architecture);
    const { exitCode, stderr } = await machine.run(script);
    assert.equal(exitCode, 1);
    return stderr;
  };
  const other = 'registry.example.com/pause:9';
  assert.match(await refused(pauseImage, 'arm64'), /might be filtered out[^]*; it has to be for amd64$/);
  await machine.run(`/opt/k8s/bin/ctr --namespace k8s.io images remove ${pauseImage}`);
  const held = await refused(other, 'amd64');
  assert.ok(held.startsWith(`the tarball of the sandbox image holds no ${pauseImage}, but:\n`), held);
  assert.ok(held.includes(other), held);
});

test('nothing but the apiservers was asked for anything, from before the boot on', async () => {
  for (const { name, machine } of nodes) {
    const { packets, rules } = await cluster.dropped(machine);
    assert.equal(packets, 0, `${name}\n${rules}`);
  }
});

interface Lease {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly renewTime: string };
}

/** Waits until a node is ready, and has said so since a moment. */
async function untilReady(name: string, since: number): Promise<void> {
  await eventually(`${name} is ready`, 120, async () => {
    const node = (await cluster.items<NodeObject>('nodes')).find(({ metadata }) => metadata.name === name);
    const leases = await cluster.items<Lease>('leases', '--namespace=kube-node-lease');
    const lease = leases.find(({ metadata }) => metadata.name === name);
    const isNew = Date.parse(lease?.spec.renewTime ?? '') > since;
    return isNew && node !== undefined && readiness(node)?.status === 'True' ? true : undefined;
  });
}

test('a node that has joined is rebooted, and needs no token for that', async () => {
  const node = nodes.find(({ name }) => name === 'node1');
  assert.ok(node !== undefined);
  await node.machine.stop();
  const since = Date.now();
  await node.machine.start();
  await untilReady('node1', since);
  assert.equal(await tokenSecrets(), '');
});

async function bake(...argv: readonly string[]): Promise<string> {
  const { exitCode, stderr, all } = await cluster.bake(argv);
  assert.equal(exitCode, 0, all);
  return stderr;
}

test('once its token is rotated, compiled and applied, a new machine of a name joins', async () => {
  const old = nodes.find(({ name }) => name === 'node2');
  assert.ok(old !== undefined);
  await old.machine.end();
  assert.match(await bake('compile', 'cluster.yaml', '-o', 'out'), / files for 0 nodes; left out: 3 that have joined /);
  await bake('token', 'rotate', 'node2', '-f', 'cluster.yaml');
  assert.match(
    await bake('compile', 'cluster.yaml', '-o', 'out'),
    / files for 1 node; .*; left out: 2 that have joined /,
  );
  await cluster.kubectl('apply', '-R', '-f', join(cluster.out, 'manifests'));
  // What is issued is the old machine's, and that is no reason to take the token from the new one.
  assert.doesNotMatch(await bake('approve-csrs', 'cluster.yaml'), /bootstrap token/);
  assert.match(await tokenSecrets(), /^secret\/bootstrap-token-[a-z0-9]{6}$/);
  await cluster.kubectl('delete', 'node', 'node2');

  const since = Date.now();
  const machine = await cluster.boot(old);
  await eventually('a serving certificate to be approved', 60, async () => {
    const waiting = (await requests('kubelet-serving')).filter(
      ({ spec, status }) => spec.username === 'system:node:node2' && status.conditions === undefined,
    );
    return waiting.length > 0 ? true : undefined;
  });
  assert.match(await bake('approve-csrs', 'cluster.yaml'), /^1 bootstrap token is gone from the cluster and /m);
  const podCidr = await eventually('a pod CIDR of node2', 60, async () => {
    const registered = (await cluster.items<Partial<NodeObject>>('nodes')).find(
      ({ metadata }) => metadata?.name === 'node2',
    );
    return registered?.spec?.podCIDR;
  });
  placeCniConfig(machine, podCidr);
  await untilReady('node2', since);
  assert.equal(await tokenSecrets(), '');
  assert.match(
    await bake('token', 'list', '--cluster', '-f', 'cluster.yaml'),
    /^3 nodes have joined, without a token$/m,
  );
});

test('approval: plan: without bake no node joins, and with it one does, in one run for both certificates', async () => {
  const planned = plannedNodes.find(({ name }) => name === 'node1');
  assert.ok(planned !== undefined);
  const folder = dirname(cluster.out);
  const description = parse(readFileSync(join(folder, 'cluster.yaml'), 'utf8')) as { nodes: { name: string }[] };
  const own = description.nodes.filter(({ name }) => name === planned.name);
  writeFileSync(join(folder, 'plan.yaml'), stringify({ ...description, nodes: own, approval: 'plan' }));
  const compiled = await cluster.bake(['compile', 'plan.yaml', '-o', 'plan']);
  assert.equal(compiled.exitCode, 0, compiled.all);
  await cluster.forgetNodes();
  await cluster.kubectl('apply', '-R', '-f', join(folder, 'plan/manifests'));

  // What the manifests had before is still there, and bake says so.
  const before = await cluster.bake(['approve-csrs', 'plan.yaml', '--timeout', '0s']);
  assert.match(before.stderr, /; kubectl delete clusterrolebinding auto-approve-csrs-for-group$/m);
  await cluster.kubectl('delete', 'clusterrolebinding', 'auto-approve-csrs-for-group');

  const machine = await cluster.boot(planned, join(folder, 'plan/nodes', planned.name));
  const asked = await eventually('a request for a client certificate', 120, async () => {
    const [first] = await requests('kube-apiserver-client-kubelet');
    return first;
  });
  await setTimeout(5000);
  assert.deepEqual(
    (await requests('kube-apiserver-client-kubelet')).map(({ status }) => status),
    [{}],
  );

  const from = performance.now();
  const { exitCode, stdout, stderr, all } = await cluster.bake(['approve-csrs', 'plan.yaml']);
  assert.equal(exitCode, 0, all);
  console.log(`  both approved and issued in ${seconds(from)}`);
  assert.match(stdout, /^node1 +issued +csr-/m);
  assert.doesNotMatch(stderr, /clusterrolebinding/);
  const decided = stderr.split('\n').filter((line) => line.startsWith('{'));
  assert.deepEqual(
    decided.map((line) => {
      const { node, use = 'token', verdict } = JSON.parse(line) as Record<string, string>;
      return [node, use, verdict].join(' ');
    }),
    ['node1 client approve', 'node1 serving approve', 'node1 token delete'],
  );
  assert.ok(stderr.includes(`"csr":"${asked.metadata.name}"`), stderr);
  await eventually('a node that has joined', 60, async () => {
    const { exitCode, stdout: told } = await machine.run('/opt/k8s/bin/bake-check');
    return exitCode === 0 && told.endsWith('ok      registered as node1') ? true : undefined;
  });
});

boot.run();
