import { gunzipSync } from 'node:zlib';
import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { parse } from 'yaml';
import type { Cluster, Endpoint, Interface, Node } from '../cluster/cluster.ts';
import { rootfsFiles } from '../compile/image/rootfs.ts';
import { networkConfig } from '../compile/network-config.ts';
import { nodeFiles } from '../compile/node-files.ts';
import { sha256 } from '../cluster/sha256.ts';
import type { Templates } from '../templates/templates.ts';
import type { Token } from '../tokens/token.ts';
import type { Means } from './find-means.ts';

/** What a node is booted with. */
export interface Stage {
  /** For rehearsal/boot: path -> content. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** The apiservers, each at an address that the node itself has. */
  readonly apiServers: readonly Endpoint[];
  /** The node's network cards; those of a machine of QEMU's all have a MAC address. */
  readonly links: readonly Link[];
  /** What user-data is to place. */
  readonly placed: readonly PlacedFile[];
}

export interface Link {
  readonly name: string;
  readonly mac: string | undefined;
}

export interface PlacedFile {
  readonly path: string;
  /** Octal, without zeros before it. */
  readonly mode: string;
  readonly owner: string;
  readonly sha256: string;
}

/**
 * Compiles a node as `bake compile` does, but for its CA and its token, and a network without anybody else in it: the
 * addresses of the apiservers are the node's own, on loopback, and DHCP gives what is planned.
 * @param authority the CA in PEM that takes the place of the cluster's
 * @param kind of the machine
 */
export function stageOf(
  cluster: Cluster,
  node: Node,
  { authority, token, kind }: { authority: string; token: Token; kind: Means['kind'] },
  templates: Templates,
): Stage {
  const apiServers = cluster.controlPlane.apiServers.map(({ host, port }, index) => ({
    host: isIP(host) === 0 ? `127.77.0.${index + 1}` : host,
    port,
  }));
  const names = cluster.controlPlane.apiServers
    .map(({ host }, index) => ({ host, address: apiServers[index]?.host ?? '' }))
    .filter(({ host, address }) => host !== address);
  const compiled = new Map<string, string | Uint8Array>();
  const controlPlane = { ...cluster.controlPlane, certificateAuthority: authority };
  for (const { path, content } of nodeFiles({ ...cluster, controlPlane, nodes: [node] }, () => token, templates)) {
    compiled.set(path.replace(`nodes/${node.name}/`, ''), content);
  }
  const networked = kind === 'emulator' ? withMacs(withoutDhcp(node)) : withoutDhcp(node);
  const links = linksOf(networked);
  const userData = compiled.get('user-data') ?? '';
  return {
    files: new Map([
      ['seed/user-data', userData],
      ['seed/meta-data', compiled.get('meta-data') ?? 'instance-id: rehearsal\n'],
      ['seed/network-config', networkConfig(networked, templates) ?? ''],
      ['seed/names', names.map(({ host, address }) => `${address} ${host}\n`).join('')],
      ['seed/addresses', addressesOf(apiServers)],
      ['seed/listen', apiServers.map((endpoint) => `${listen(endpoint)}\n`).join('')],
      ['seed/image.sha256', imageDigests(cluster, templates)],
      ['network', cables(links)],
    ]),
    apiServers,
    links,
    placed: placedBy(typeof userData === 'string' ? userData : gunzipSync(userData).toString()),
  };
}

/** A node without interfaces in its description has its first one from DHCP. */
const firstInterface: Interface = {
  name: 'host0',
  match: { kind: 'name' },
  vlan: { kind: 'none' },
  addressing: { kind: 'dhcp' },
  gateway: { kind: 'none' },
  mtu: { kind: 'default' },
};

/** Nobody answers DHCP in a rehearsal: the first interface that asks gets the planned address, unless another one has it. */
function withoutDhcp(node: Node): Node {
  const interfaces = node.interfaces.length === 0 ? [firstInterface] : node.interfaces;
  const isStatic = interfaces.some(
    ({ addressing }) =>
      addressing.kind === 'static' && addressing.addresses.some((address) => address.startsWith(`${node.address}/`)),
  );
  const asks = isStatic ? undefined : interfaces.find(({ addressing }) => addressing.kind === 'dhcp');
  return {
    ...node,
    interfaces: interfaces.map((link) => (link === asks ? { ...link, ...leased(node.address) } : link)),
  };
}

function leased(address: string): Pick<Interface, 'addressing' | 'gateway'> {
  const cidr = `${address}/${isIPv6(address) ? 64 : 24}`;
  const [first, second] = [1, 2].map((host) => {
    const bytes = networkAddress(cidr).toByteArray();
    return ipaddr.fromByteArray([...bytes.slice(0, -1), host]).toString();
  });
  return {
    addressing: { kind: 'static', addresses: [cidr] },
    gateway: { kind: 'gateway', address: (first === address ? second : first) ?? '' },
  };
}

function networkAddress(cidr: string): ipaddr.IPv4 | ipaddr.IPv6 {
  return isIPv6(cidr.split('/')[0] ?? '')
    ? ipaddr.IPv6.networkAddressFromCIDR(cidr)
    : ipaddr.IPv4.networkAddressFromCIDR(cidr);
}

/** QEMU's machines call their interfaces as they like: what is described by its name gets the name by its MAC address. */
function withMacs(node: Node): Node {
  const interfaces = node.interfaces.map((link, index): Interface => {
    if (link.match.kind === 'mac' || link.vlan.kind === 'vlan') return link;
    return { ...link, match: { kind: 'mac', mac: `52:54:00:ba:6f:${index.toString(16).padStart(2, '0')}` } };
  });
  return { ...node, interfaces };
}

function linksOf({ interfaces }: Node): Link[] {
  return interfaces
    .filter(({ vlan }) => vlan.kind === 'none')
    .map(({ name, match }) => ({ name, mac: match.kind === 'mac' ? match.mac : undefined }));
}

/** For `ip -batch`: the links, with a cable in each. */
function cables(links: readonly Link[]): string {
  const lines = links.flatMap(({ name, mac }, index) => {
    const address = mac === undefined ? '' : ` address ${mac}`;
    return [`link add ${name}${address} type veth peer name rehearsal${index}`, `link set rehearsal${index} up`];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** For `ip -batch`: the apiservers' addresses. */
function addressesOf(apiServers: readonly Endpoint[]): string {
  const hosts = new Set(apiServers.map(({ host }) => host));
  // ::1 is there as soon as lo is up.
  const addresses = [...hosts].map((host) => `address replace ${host}/${isIPv6(host) ? 128 : 32} dev lo`);
  return ['link set lo up', ...addresses].map((line) => `${line}\n`).join('');
}

/** For socat. */
function listen({ host, port }: Endpoint): string {
  return isIPv6(host) ? `TCP6-LISTEN:${port},bind=[${host}]` : `TCP4-LISTEN:${port},bind=${host}`;
}

/** For sha256sum: what `bake image` has placed in the image. */
function imageDigests(cluster: Cluster, templates: Templates): string {
  const folder = 'packer/rootfs';
  const lines = [...rootfsFiles(cluster, templates)].map(
    ({ path, content }) => `${sha256(content)}  ${path.slice(folder.length)}\n`,
  );
  return lines.join('');
}

interface CloudConfig {
  readonly write_files: readonly {
    readonly path: string;
    readonly owner: string;
    readonly permissions: string;
    readonly content: string;
  }[];
}

function placedBy(userData: string): PlacedFile[] {
  const { write_files: files } = parse(userData) as CloudConfig;
  return files.map(({ path, owner, permissions, content }) => ({
    path,
    mode: permissions.replace(/^0+/, ''),
    owner,
    sha256: sha256(content),
  }));
}
