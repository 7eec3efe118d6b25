import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { parse } from 'yaml';
import { readMeaning, readWritten } from '../../src/description/read-description.ts';
import { readPackageFiles } from '../../src/edges/read-package-files.ts';
import type { Means } from '../../src/rehearse/find-means.ts';
import { stageOf, type Stage } from '../../src/rehearse/stage.ts';
import { Templates } from '../../src/templates/templates.ts';

// The network that a node is rehearsed in, as ip and cloud-init read it. That a node boots in it is in
// test/e2e/rehearse.test.ts, but for what the tests' machines cannot do: VLANs.
const stages = suite('the stage of a rehearsal');
const root = join(import.meta.dirname, '../..');
const ca = readFileSync(join(root, 'examples/guide/ca.pem'), 'utf8');
const templates = new Templates(readPackageFiles(root));
const token = { node: 'node1', id: 'abcdef', secret: '0123456789abcdef', expires: '2020-08-03T14:12:04Z' };

/** @param node of YAML, as in a description */
function stage(
  node: string,
  apiServers = '[192.168.31.44:6443, api.example.com:443]',
  more = '',
  kind: Means['kind'] = 'container',
): Stage {
  const v6 = apiServers.startsWith('["[');
  const network = v6
    ? '{ podCIDR: "fd00:172::/56", serviceCIDR: "fd00:10::/112", dnsAddress: "fd00:10::a" }'
    : '{ podCIDR: 172.30.0.0/16, serviceCIDR: 10.254.0.0/16, dnsAddress: 10.254.0.2 }';
  const written = readWritten(
    `{ version: 1, controlPlane: { apiServers: ${apiServers}, certificateAuthority: ca.pem }, network: ${network}, ` +
      `${more} nodes: [${node}] }`,
  );
  assert.ok(written.kind === 'good', JSON.stringify(written));
  const files = new Map([['ca.pem', { kind: 'text', text: ca } as const]]);
  const meaning = readMeaning(written.value, { files, now: new Date('2020-08-02T14:12:04Z') });
  assert.ok(meaning.kind === 'good', JSON.stringify(meaning));
  const [planned] = meaning.value.nodes;
  assert.ok(planned);
  return stageOf(meaning.value, planned, { authority: ca, token, kind }, templates);
}

const text = ({ files }: Stage, path: string) => String(files.get(path));

stages('the apiservers are at addresses of the node itself', () => {
  const made = stage(
    '{ name: node1, address: 192.168.31.136, interfaces: [{ name: eth0, addresses: [192.168.31.136/24] }] }',
  );
  assert.deepEqual(made.apiServers, [
    { host: '192.168.31.44', port: 6443 },
    { host: '127.77.0.2', port: 443 },
  ]);
  assert.equal(text(made, 'seed/names'), '127.77.0.2 api.example.com\n');
  assert.equal(text(made, 'network'), 'link add eth0 type veth peer name rehearsal0\nlink set rehearsal0 up\n');
  assert.equal(
    text(made, 'seed/addresses'),
    `link set lo up
address replace 192.168.31.44/32 dev lo
address replace 127.77.0.2/32 dev lo
`,
  );
});

stages('an apiserver at an address that loopback has anyway', () => {
  const made = stage('{ name: node1, address: "fd00:31::136" }', '["[::1]:6443"]');
  // To add it would be refused.
  assert.equal(text(made, 'seed/addresses'), 'link set lo up\naddress replace ::1/128 dev lo\n');
});

stages('interfaces have their MACs; a VLAN is made by the node', () => {
  const made = stage(
    `{ name: node1, address: 192.168.31.136, interfaces: [
       { name: eth0, mac: "52:54:00:00:31:36", addresses: [10.1.0.136/24] },
       { name: eth0.31, vlan: { id: 31, link: eth0 }, addresses: [192.168.31.136/24], gateway: 192.168.31.1 },
       { name: eth1 } ] }`,
  );
  assert.match(
    text(made, 'network'),
    /^link add eth0 address 52:54:00:00:31:36 type veth peer name rehearsal0\n.*\nlink add eth1 type veth peer name rehearsal1\nlink set rehearsal1 up\n$/,
  );
  // As compiled: the planned address is not for DHCP.
  const { ethernets } = parse(text(made, 'seed/network-config')) as { ethernets: Record<string, object> };
  assert.deepEqual(ethernets['eth1'], { dhcp4: true, optional: true });
});

stages('a machine of QEMU names its interfaces by MACs, and has those that are described', () => {
  const made = stage(
    `{ name: node1, address: 192.168.31.136, interfaces: [
       { name: eth0, addresses: [192.168.31.136/24] }, { name: eth1, mac: "52:54:00:00:31:36" } ] }`,
    undefined,
    undefined,
    'emulator',
  );
  assert.deepEqual(made.links, [
    { name: 'eth0', mac: '52:54:00:ba:6f:00' },
    { name: 'eth1', mac: '52:54:00:00:31:36' },
  ]);
  const { ethernets } = parse(text(made, 'seed/network-config')) as { ethernets: Record<string, object> };
  assert.deepEqual(ethernets['eth0'], {
    match: { macaddress: '52:54:00:ba:6f:00' },
    'set-name': 'eth0',
    addresses: ['192.168.31.136/24'],
  });
});

stages('what DHCP would give is the planned address, and a neighbour as gateway', () => {
  const leased = (made: Stage) => (parse(text(made, 'seed/network-config')) as { ethernets: object }).ethernets;
  assert.deepEqual(leased(stage('{ name: node1, address: 192.168.31.136 }')), {
    host0: { addresses: ['192.168.31.136/24'], gateway4: '192.168.31.1' },
  });
  assert.deepEqual(leased(stage('{ name: node1, address: 192.168.31.1, interfaces: [{ name: ens3 }] }')), {
    ens3: { addresses: ['192.168.31.1/24'], gateway4: '192.168.31.2' },
  });
  const v6 = stage('{ name: node1, address: "fd00:31::136" }', '["[fd00:31::44]:6443"]');
  assert.deepEqual(leased(v6), { host0: { addresses: ['fd00:31::136/64'], gateway6: 'fd00:31::1' } });
  assert.match(text(v6, 'seed/addresses'), /^address replace fd00:31::44\/128 dev lo$/m);
  assert.equal(text(v6, 'seed/listen'), 'TCP6-LISTEN:6443,bind=[fd00:31::44]\n');
});

stages('user-data is read as it is sent, also where it is packed and names the host', () => {
  const made = stage(
    '{ name: node1, address: 192.168.31.136 }',
    undefined,
    'userData: { target: ec2, encoding: gzip },',
  );
  assert.equal(text(made, 'seed/meta-data'), 'instance-id: rehearsal\n');
  assert.deepEqual(
    made.placed.map(({ path, mode, owner }) => [path, mode, owner]),
    [
      ['/etc/kubernetes/kubelet-config.yaml', '644', 'root:root'],
      ['/etc/kubernetes/kubelet-bootstrap.kubeconfig', '600', 'root:root'],
      ['/etc/kubernetes/kubelet.env', '644', 'root:root'],
      ['/etc/kubernetes/bake.sha256', '644', 'root:root'],
    ],
  );
});

stages.run();
