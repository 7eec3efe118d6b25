import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { namedFiles, readMeaning, readWritten } from '../../src/description/read-description.ts';

// What looks like a mistake, and is none. The mistakes themselves are in test/errors, whole descriptions in test/golden.
const good = suite('no mistake');

interface Parts {
  readonly apiServers?: string;
  readonly authority?: string;
  readonly controlPlane?: string;
  readonly network?: string;
  readonly extra?: string;
  readonly node?: string;
}

function expectNoMistake(parts: Parts): void {
  const text = `version: 1
controlPlane:
  apiServers: ${parts.apiServers ?? '[192.168.31.44:6443]'}
  certificateAuthority: ${parts.authority ?? 'ca.pem'}
${parts.controlPlane ?? ''}
network: ${parts.network ?? '{ podCIDR: 172.30.0.0/16, serviceCIDR: 10.254.0.0/16, dnsAddress: 10.254.0.2 }'}
${parts.extra ?? ''}
nodes:
  - ${parts.node ?? '{ name: node1, address: 192.168.31.136 }'}
`;
  const written = readWritten(text);
  assert.deepEqual(written.kind === 'bad' ? written.diagnostics : [], []);
  if (written.kind === 'bad') return;
  const folder = join(import.meta.dirname, '../support/certificates');
  const read = (name: string) => ({ kind: 'text', text: readFileSync(join(folder, name), 'utf8') }) as const;
  const certificates = new Map(namedFiles(written.value.spec).map((name) => [name, read(name)]));
  const meaning = readMeaning(written.value, { files: certificates, now: new Date('2020-08-02T14:12:04Z') });
  assert.deepEqual(meaning.kind === 'bad' ? meaning.diagnostics : meaning.warnings, []);
}

good('several authorities in one file, and a client certificate by way of an intermediate one', () => {
  expectNoMistake({ authority: 'two-cas.pem', controlPlane: '  kubeletClientCertificate: client-of-another-ca.pem' });
  expectNoMistake({ controlPlane: '  kubeletClientCertificate: client-by-intermediate.pem' });
  expectNoMistake({
    controlPlane: '  kubeletClientCertificate: client.pem\n  kubeletClientUser: kubernetes-master',
  });
});

good('an IPv6 router by its link-local address', () => {
  expectNoMistake({
    apiServers: '["[2a00:1450:4001::7]:6443"]',
    network: '{ podCIDR: "fd00:172::/56", serviceCIDR: "fd00:10::/112", dnsAddress: "fd00:10::a" }',
    node: '{ name: node1, address: "fd00::44", interfaces: [{ name: eth0, addresses: ["fd00:0::44/64"], gateway: "fe80::1" }] }',
  });
});

good('an apiserver on a node, whose port kube-nginx does not take', () => {
  expectNoMistake({ apiServers: '[192.168.31.136:6443]' });
  expectNoMistake({ apiServers: '[192.168.31.44:8443]' });
});

good('a node without a gateway, where an apiserver is its neighbour or has a name', () => {
  const node = '{ name: node1, address: 192.168.31.136, interfaces: [{ name: eth0, addresses: [192.168.31.136/24] }] }';
  expectNoMistake({ node });
  expectNoMistake({ node, apiServers: '[apiserver.example.com:6443]' });
});

good('the planned address from DHCP on one of several interfaces', () => {
  expectNoMistake({
    node: '{ name: node1, address: 192.168.31.136, interfaces: [{ name: eth0 }, { name: eth1, addresses: [10.1.0.7/24] }] }',
  });
});

good('a /31 and a /32 have no broadcast address', () => {
  const addresses = '[192.168.31.136/32, 10.0.0.0/31]';
  expectNoMistake({
    apiServers: '[10.0.0.1:6443]',
    node: `{ name: node1, address: 192.168.31.136, interfaces: [{ name: eth0, addresses: ${addresses}, gateway: 10.0.0.1 }] }`,
  });
});

good('old names of time zones, SSH keys with options, and a field of bake taken away', () => {
  const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
  expectNoMistake({ extra: 'image: { timeZone: PRC }' });
  expectNoMistake({ extra: 'image: { timeZone: US/Eastern }' });
  expectNoMistake({ extra: `sshAuthorizedKeys: ['from="10.0.0.0/8",no-pty ssh-ed25519 ${key} me@example.com']` });
  expectNoMistake({ extra: 'kubelet: { config: { hairpinMode: null, authentication: { x509: null } } }' });
});

good('everything that kubelet takes as a quantity, a percentage or a duration', () => {
  expectNoMistake({
    extra: `kubelet:
  config:
    evictionHard: { memory.available: 1.5Gi, nodefs.available: 0%, imagefs.available: 12.5%, pid.available: "1e3" }
    evictionSoft: { memory.available: 200Mi }
    evictionSoftGracePeriod: { memory.available: 1m30s }
    systemReserved: { cpu: 500m, memory: 1Gi }
    cpuManagerPolicy: static
    volumeStatsAggPeriod: 1.5h
    enforceNodeAllocatable: [pods, system-reserved]
    systemReservedCgroup: /system.slice`,
  });
});

good.run();
