import { isDeepStrictEqual } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { nodePaths } from '../cluster/node-paths.ts';
import type { OutputFile } from './output-file.ts';
import { sha256 } from './user-data.ts';

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
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}

/**
 * Reads user-data the way its readers do: cloud-init places the files, sha256sum compares them, kubelet decodes them.
 * @throws Error
 */
export function checkUserData(text: string, node: Node, cluster: Cluster): void {
  const files = (parse(text) as CloudConfig).write_files;
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

  const { kind, apiVersion, address, healthzBindAddress, ...shared } = parse(contentOf(nodePaths.kubeletConfig), {
    version: '1.1',
  }) as Record<string, unknown>;
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
