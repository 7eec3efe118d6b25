import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { Architecture } from '../../src/cluster/cluster.ts';
import { startAptRelay, type AptRelay } from './apt-relay.ts';
import { bootNode, type BootedNode } from './booted-node.ts';
import { linkToThisMachine, type Link } from './link.ts';
import { makeIdentities } from './make-identities.ts';
import { runBake } from './run-bake.ts';
import { tryPart } from './try-part.ts';

const packer = await tryPart('packer');
const cloud = await tryPart('debian-12-cloud');
const machines = await tryPart('machines');
const mirror = await tryPart('upstream-mirror');

/** What this machine lacks for a bake; undefined when it has everything. */
export const missingForBake = packer.missing ?? cloud.missing ?? machines.missing ?? mirror.missing;

/** Where nodes find their apiserver: in a guest of QEMU, an address that leads wherever QEMU is told. */
const apiServer = '10.0.2.100:6443';
/** What QEMU's own DHCP server gives to a guest. */
const guestAddress = '10.0.2.15';

/** A machine that Packer bakes over SSH. */
export interface RealBake {
  readonly node: BootedNode;
  readonly link: Link;
  readonly relay: AptRelay;
  /** The part of that name. */
  readonly machines: string;
  /** The part debian-12-cloud, from which the machine was booted. */
  readonly root: string;
  /** A folder for whatever a test makes. */
  readonly folder: string;
  /** Holds ca.pem, and server.pem with its key for a stand-in of the apiserver. */
  readonly identities: string;
  /** The compiled output. */
  readonly out: string;
  /** The artifacts by the names that the template has for them, to be spoilt at will. */
  readonly artifacts: string;
  /** The private key that logs in to the machine, and to nodes that start from it. */
  readonly key: string;
  /** Compiles, with further settings of the image; lays every artifact as it should be. */
  compile(settings?: {
    sysprep?: true;
    scripts?: readonly string[];
    ntpServers?: readonly string[];
    qemu?: { accelerator: 'tcg' };
  }): Promise<void>;
  /** Runs `packer build` to its end. */
  build(): Promise<{ exitCode: number | undefined; all: string; seconds: number }>;
  end(): Promise<void>;
}

/** Boots a Debian 12 that has nothing of a cluster. */
export async function startRealBake(): Promise<RealBake> {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
  const at = (name: string) => join(folder, name);
  await makeIdentities(cloud.folder, at('identities'));
  copyFileSync(at('identities/ca.pem'), at('ca.pem'));
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at('key')]);
  const publicKey = readFileSync(at('key.pub'), 'utf8').trim();

  const link = linkToThisMachine(machines.folder);
  const node = await bootNode(
    { root: cloud.folder, machines: machines.folder },
    {
      'meta-data': 'instance-id: base\nlocal-hostname: base\n',
      'user-data': `#cloud-config\nssh_authorized_keys: ['${publicKey}']\n`,
      'network-config': link.networkConfig,
    },
    link.plug,
  );
  const relay = await startAptRelay(link.gateway);

  const runPacker = (argv: readonly string[]) =>
    execa(join(packer.folder, 'packer'), argv, {
      cwd: at('out/packer'),
      env: { CHECKPOINT_DISABLE: '1', PACKER_PLUGIN_PATH: join(packer.folder, 'plugins'), HOME: folder },
      all: true,
      reject: false,
    });

  return {
    node,
    link,
    relay,
    machines: machines.folder,
    root: cloud.folder,
    folder,
    identities: at('identities'),
    out: at('out'),
    artifacts: at('artifacts'),
    key: at('key'),
    async compile({ sysprep, ...settings } = {}) {
      const description = describeMachine(publicKey, {
        source: 'null',
        null: { host: link.address, user: 'debian', sysprep },
        apt: { mirror: relay.archive, securityMirror: relay.security },
        ...settings,
      });
      writeFileSync(at('cluster.yaml'), stringify(description));
      const { exitCode, stderr } = await runBake(['compile', 'cluster.yaml'], { cwd: folder });
      assert.equal(exitCode, 0, stderr);
      layArtifacts(mirror.folder, at('out/packer/artifacts.tsv'), at('artifacts'));
      const init = await runPacker(['init', '.']);
      assert.equal(init.exitCode, 0, init.all);
    },
    async build() {
      const started = performance.now();
      const login = ['-var', `ssh_private_key_file=${at('key')}`, '-var', `artifacts_folder=${at('artifacts')}`];
      const { exitCode, all } = await runPacker(['build', '-color=false', ...login, '.']);
      return { exitCode, all, seconds: (performance.now() - started) / 1000 };
    },
    async end() {
      relay.close();
      await node.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** As it is written to cluster.yaml. */
export type MachineDescription = Readonly<Record<string, unknown>> & { readonly containerd?: object };

/**
 * A description of one node, whose image has what the mirror holds; it names a ca.pem beside it.
 * @param publicKey may log in to the node as the user debian
 */
export function describeMachine(
  publicKey: string,
  image: object,
  { folder, architecture }: { folder: string; architecture: Architecture } = {
    folder: mirror.folder,
    architecture: 'amd64',
  },
): MachineDescription {
  const components = readComponents(folder, architecture);
  return {
    version: 1,
    architecture,
    controlPlane: { apiServers: [apiServer], certificateAuthority: 'ca.pem' },
    network: { podCIDR: '172.30.0.0/16', serviceCIDR: '10.254.0.0/16', dnsAddress: '10.254.0.2' },
    ...Object.fromEntries(components.map(({ name, version, sha256 }) => [name, { version, sha256 }])),
    image: { os: 'debian-12', cgroup: 'v1', ...image },
    sshAuthorizedKeys: [publicKey],
    nodes: [{ name: 'node1', address: guestAddress }],
  };
}

const fileNames = (architecture: Architecture) => ({
  kubeNginx: /\/nginx-(.*)\.tar\.gz$/,
  containerd: new RegExp(`/containerd-(.*)-linux-${architecture}\\.tar\\.gz$`),
  runc: new RegExp(`/v([^/]*)/runc\\.${architecture}$`),
  crictl: new RegExp(`/crictl-v(.*)-linux-${architecture}\\.tar\\.gz$`),
  cniPlugins: new RegExp(`/cni-plugins-linux-${architecture}-v(.*)\\.tgz$`),
  kubelet: new RegExp(`/v([^/]*)/bin/linux/${architecture}/kubelet$`),
});

/** What the mirror holds. Debian's builds are not upstream's files of their versions: each needs its digest. */
function readComponents(
  folder: string,
  architecture: Architecture,
): { name: string; version: string; sha256: string }[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.entries(fileNames(architecture)).map(([name, pattern]) => {
    const file = files.find((path) => pattern.test(path)) ?? '';
    const sha256 = createHash('sha256').update(readFileSync(join(folder, file)));
    return { name, version: pattern.exec(file)?.[1] ?? '', sha256: sha256.digest('hex') };
  });
}

/** Copies, so that a test may spoil them, what artifacts.tsv lists: name, URL, SHA-256. */
function layArtifacts(from: string, list: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  for (const line of readFileSync(list, 'utf8').trim().split('\n')) {
    const [name = '', url = ''] = line.split('\t');
    cpSync(join(from, url.replace('https://', '')), join(to, name));
  }
}
