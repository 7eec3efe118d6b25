import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { runInRoot, type CommandResult } from '../parts/parts.ts';
import { bakeClusterImage, type BakedImage } from './baked-image.ts';
import type { BootedNode } from './booted-node.ts';
import { hierarchies } from '../../src/edges/cgroups.ts';
import { bootClusterNode } from './cluster-node.ts';
import { compileStatic } from './compile-static.ts';
import { apiServerAddresses, startControlPlane, type ControlPlane } from './control-plane.ts';
import { confineEgress, droppedEgress, leadService } from './egress.ts';
import { writeImageArchive } from './image-archive.ts';
import { importArchive } from './import-archive.ts';
import { pauseImage } from './image-command.ts';
import { makePrivateNetwork } from './private-network.ts';
import { missingForBake } from './real-bake.ts';
import { tryPart } from './try-part.ts';

const controlPlaneParts = await tryPart('control-plane-1.18.6');
const debian = await tryPart('debian-12');
const machines = await tryPart('machines');

/** What this machine lacks for a cluster; undefined when it has everything. */
export const missingForCluster =
  missingForBake ??
  controlPlaneParts.missing ??
  debian.missing ??
  (hierarchies.length === 0 ? 'kubelet 1.18.6 knows cgroups v1 only, and this machine has none mounted' : undefined);

/** A control plane, and an image and compiled nodes that fit it; nothing is applied or booted yet. */
export interface RealCluster {
  readonly controlPlane: ControlPlane;
  /** The compiled output; the description is cluster.yaml beside it. */
  readonly out: string;
  /** Runs kubectl as admin, by the first apiserver; gives what it prints, fails with what it says when it fails. */
  kubectl(...argv: readonly string[]): Promise<string>;
  /** Has kubectl apply an object; fails when it fails. */
  apply(object: object): Promise<void>;
  /** The objects that kubectl gets by some words. */
  items<T>(resource: string, ...options: readonly string[]): Promise<T[]>;
  /**
   * Boots a node from the image with its user-data. It can send to the apiservers, and answer; all else is dropped.
   * @param compiled a folder with user-data, meta-data and network-config; by default the node's in the output
   * @param prepare changes its root file system before that
   */
  boot(node: PlannedNode, compiled?: string, prepare?: (root: string) => void): Promise<BootedNode>;
  /** Does what kube-proxy would: leads pods of a node that ask for the address of the Service `kubernetes` to an apiserver. */
  leadPods(node: BootedNode): Promise<void>;
  /** Throws all nodes away, and has the cluster forget them, as if it had never seen any. */
  forgetNodes(): Promise<void>;
  /** How many packets of a node were dropped since before it booted. */
  dropped(node: BootedNode): Promise<{ packets: number; rules: string }>;
  /** Lets containerd of a node have an image whose program is compiled from C; no registry is asked. */
  importImage(node: BootedNode, reference: string, source: string): Promise<void>;
  /** Runs a program of Debian's beside the apiservers, where the files of the control plane's identities are in /identities. */
  run(argv: readonly [string, ...string[]]): Promise<CommandResult>;
  /** Runs a command line of bake as built, beside the description and the apiservers, as their admin; it does not reject. */
  bake(argv: readonly string[]): Promise<CommandResult>;
  end(): Promise<void>;
}

export interface PlannedNode {
  readonly name: string;
  readonly address: string;
  /** A second interface, on a network of its own, that has the default route. */
  readonly uplink?: string;
}

export const plannedNodes: readonly PlannedNode[] = [
  { name: 'master', address: '192.168.31.44' },
  { name: 'node1', address: '192.168.31.136' },
  { name: 'node2', address: '192.168.31.90', uplink: '192.168.32.90' },
];

const main = join(import.meta.dirname, '../../dist/main.js');
const apiServers = apiServerAddresses.map((address) => `${address}:6443`);
const bridges = {
  nodes: [...apiServerAddresses, '192.168.31.1'].map((address) => `${address}/24`),
  uplinks: ['192.168.32.1/24'],
};

/** Starts a control plane, bakes an image and compiles the planned nodes, as built and from the command line. */
export async function startRealCluster(): Promise<RealCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
  const endings = [() => rm(folder, { recursive: true, force: true })];
  const end = async () => {
    for (const ending of endings.splice(0).reverse()) await ending();
  };
  try {
    const network = await makePrivateNetwork(machines.folder, bridges);
    endings.push(network.end);
    const parts = { controlPlane: controlPlaneParts.folder, debian: debian.folder };
    const controlPlane = await startControlPlane(network, parts, join(folder, 'control-plane'));
    endings.push(controlPlane.end);
    const image = await bake(folder, controlPlane);
    await compile(folder);
    const out = join(folder, 'out');
    const nodes: BootedNode[] = [];
    const endNodes = async () => {
      await Promise.all(nodes.splice(0).map((node) => node.end()));
    };
    endings.push(endNodes);
    const kubectl = async (argv: readonly string[], input?: string): Promise<string> => {
      const { exitCode, stdout, all } = await controlPlane.kubectl(argv, input);
      assert.equal(exitCode, 0, `kubectl ${argv.join(' ')}: ${all}`);
      return stdout;
    };
    return {
      controlPlane,
      out,
      kubectl: (...argv) => kubectl(argv),
      async apply(object) {
        await kubectl(['apply', '-f', '-'], JSON.stringify(object));
      },
      async items<T>(resource: string, ...options: readonly string[]) {
        return (JSON.parse(await kubectl(['get', resource, '--output=json', ...options])) as { items: T[] }).items;
      },
      async boot({ name, uplink }, compiled = join(out, 'nodes', name), prepare) {
        const cables = uplink === undefined ? ['nodes'] : ['nodes', 'uplinks'];
        const node = await bootClusterNode(image, compiled, network, cables, (pid, root) => {
          prepare?.(root);
          return confineEgress(debian.folder, pid, apiServers);
        });
        nodes.push(node);
        return node;
      },
      async forgetNodes() {
        await endNodes();
        await kubectl(['delete', 'nodes,certificatesigningrequests', '--all']);
      },
      leadPods: (node) => leadService(debian.folder, node.holder, '10.254.0.1:443', apiServers[0] ?? ''),
      dropped: (node) => droppedEgress(debian.folder, node.holder),
      async importImage(node, reference, source) {
        const archive = join(folder, 'image.tar');
        await writeImageArchive(archive, reference, await compileStatic(debian.folder, source));
        await importArchive(node, archive);
      },
      run: (argv) =>
        runInRoot(debian.folder, argv, {
          network: network.enter,
          binds: [{ from: controlPlane.identities, to: '/identities' }],
        }),
      async bake(argv) {
        const env = { KUBECONFIG: join(controlPlane.identities, 'admin.kubeconfig') };
        const options = { cwd: folder, env, all: true, reject: false } as const;
        const { exitCode, stdout, stderr, all } = await execa(
          options,
        )`${network.enter} ${process.execPath} ${main} ${argv}`;
        return { exitCode, stdout, stderr, all };
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function bake(folder: string, controlPlane: ControlPlane): Promise<BakedImage> {
  copyFileSync(join(controlPlane.identities, 'ca.pem'), join(folder, 'ca.pem'));
  const pause = await compileStatic(debian.folder, join(controlPlaneParts.folder, 'pause.c'), ['VERSION=3.2']);
  await writeImageArchive(join(folder, 'pause.tar'), pauseImage, pause);
  return bakeClusterImage(folder, {
    controlPlane: { apiServers, certificateAuthority: 'ca.pem' },
    nodes: plannedNodes.map(describeNode),
  });
}

function describeNode({ name, address, uplink }: PlannedNode): object {
  const planned = { name: 'host0', addresses: [`${address}/24`] };
  if (uplink === undefined) return { name, address, interfaces: [{ ...planned, gateway: '192.168.31.1' }] };
  const other = { name: 'host1', addresses: [`${uplink}/24`], gateway: '192.168.32.1' };
  return { name, address, interfaces: [planned, other] };
}

async function compile(folder: string): Promise<void> {
  const argv = [main, 'compile', 'cluster.yaml', '-o', 'out'];
  const { exitCode, all } = await execa(process.execPath, argv, { cwd: folder, all: true, reject: false });
  assert.equal(exitCode, 0, all);
}
