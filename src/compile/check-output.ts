import { isDeepStrictEqual } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { nodePaths } from '../cluster/node-paths.ts';
import type { Token } from '../tokens/token.ts';
import type { OutputFile } from './output-file.ts';
import { sha256 } from '../cluster/sha256.ts';

// What is about to be written, read back. A failure here is a bug of ours: no description may get this far and fail.

/**
 * Reads a file that all nodes share by the format that its name tells.
 * @throws Error
 */
export function checkSharedFile({ path, content }: OutputFile): void {
  const text = String(content);
  if (path.endsWith('.json')) JSON.parse(text);
  if (!path.endsWith('.yaml')) return;
  for (const document of parseAllDocuments(text, { strict: true })) {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`${path} is no YAML: ${error.message}`);
  }
}

/** Nodes of the same shape differ in names, addresses and numbers only, which the rules have checked one by one. */
export function shapeOf(node: Node): string {
  const kinds = node.interfaces.map(({ match, vlan, addressing, gateway, mtu }) => [
    match.kind,
    vlan.kind,
    addressing.kind === 'static' ? addressing.addresses.length : 0,
    gateway.kind,
    mtu.kind,
  ]);
  return JSON.stringify([node.address.includes(':'), kinds, node.nameservers.length, node.searchDomains.length]);
}

interface CloudConfig {
  readonly hostname?: string;
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}

interface Kubeconfig {
  readonly users: unknown;
}

/** As cloud-init and kubelet read it: YAML 1.1, to which on, 010 and 1.10 are no text. */
function readYaml(text: string): unknown {
  return parse(text, { version: '1.1' });
}

/** @throws Error when meta-data does not say the node's name as text */
export function checkMetaData(text: string, node: Node): void {
  const { 'instance-id': id, 'local-hostname': name } = readYaml(text) as Record<string, unknown>;
  if (typeof id !== 'string' || name !== node.name) throw new Error(`the meta-data of ${node.name} has another name`);
}

interface NetworkConfig {
  readonly ethernets?: object;
  readonly vlans?: object;
}

/** @throws Error when a network-config does not have just the interfaces of its node */
export function checkNetworkConfig(text: string, node: Node): void {
  const { ethernets = {}, vlans = {} } = readYaml(text) as NetworkConfig;
  const [written, planned] = [
    [...Object.keys(ethernets), ...Object.keys(vlans)],
    node.interfaces.map(({ name }) => name),
  ];
  if (!isDeepStrictEqual(written.sort(), planned.sort())) {
    throw new Error(`the network-config of ${node.name} has other interfaces`);
  }
}

/**
 * Reads user-data the way its readers do: cloud-init places the files, sha256sum compares them, kubelet decodes them.
 * @throws Error
 */
export function checkUserData(text: string, node: Node, token: Token, cluster: Cluster): void {
  const { hostname = node.name, write_files: files } = readYaml(text) as CloudConfig;
  const contentOf = (path: string): string => {
    const file = files.find((placed) => placed.path === path);
    if (file === undefined) throw new Error(`the user-data of ${node.name} places no ${path}`);
    return file.content;
  };
  const expect = (what: string, actual: unknown, expected: unknown): void => {
    if (!isDeepStrictEqual(actual, expected)) throw new Error(`the user-data of ${node.name} has a wrong ${what}`);
  };

  const placed = files.slice(0, -1).map(({ path, content }) => `${sha256(content)}  ${path}\n`);
  expect('last file', files.at(-1), { ...files.at(-1), path: nodePaths.checksums, content: placed.join('') });

  expect('hostname', hostname, node.name);
  const { users } = readYaml(contentOf(nodePaths.bootstrapKubeconfig)) as Kubeconfig;
  expect('token', users, [{ name: 'kubelet-bootstrap', user: { token: `${token.id}.${token.secret}` } }]);

  const kubeletConfig = readYaml(contentOf(nodePaths.kubeletConfig)) as Record<string, unknown>;
  const { kind, apiVersion, address, healthzBindAddress, ...shared } = kubeletConfig;
  expect('kind', [kind, apiVersion], ['KubeletConfiguration', 'kubelet.config.k8s.io/v1beta1']);
  expect('address', address, node.address);
  const { healthzBindAddress: planned, ...fields } = cluster.kubelet.config;
  expect('healthzBindAddress', healthzBindAddress, cluster.kubelet.healthzOnNodeAddress ? node.address : planned);
  expect('kubelet configuration', shared, fields);
  expect(
    'kubelet.env',
    contentOf(nodePaths.kubeletEnvironment),
    `KUBELET_HOSTNAME=${node.name}\nKUBELET_NODE_IP=${node.address}\n`,
  );
}
