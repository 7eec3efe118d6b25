import { isIP } from 'node:net';
import type { Cluster, Endpoint, Node } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { addressOf, canonical, contains, familyOf, isNetworkOrBroadcast, networkOf, specialKind } from './addresses.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';
import { staticAddresses } from './static-addresses.ts';

/** A node with static addresses has the planned one, and a way out of its networks. */
export function* checkStaticNetwork({ cluster }: Subject): Iterable<Diagnostic> {
  for (const { written, path } of staticAddresses(cluster.nodes)) {
    if (!isNetworkOrBroadcast(written)) continue;
    const message = `${written} is the first or the last address of its network, which no machine can have; write the node's own`;
    yield { code: 'unusable-address', path, at: 'value', message };
  }
  for (const [index, node] of cluster.nodes.entries()) {
    if (node.interfaces.length === 0) continue;
    const path = ['nodes', index];
    yield* checkGateways(node, path);
    // An interface with DHCP may get the planned address, and a gateway.
    if (node.interfaces.some(({ addressing }) => addressing.kind === 'dhcp')) continue;
    yield* checkPlannedAddress(node, path);
    yield* checkWayToApiServers(node, path, cluster);
  }
}

function* checkGateways({ interfaces }: Node, path: Path): Iterable<Diagnostic> {
  const gateways = interfaces.flatMap(({ name, gateway, addressing }, index) =>
    gateway.kind === 'gateway'
      ? [{ name, address: gateway.address, addressing, path: [...path, 'interfaces', index, 'gateway'] }]
      : [],
  );
  for (const { name, address, addressing, path: at } of gateways) {
    const found = { code: 'bad-gateway', path: at, at: 'value' } as const;
    if (addressing.kind === 'dhcp') {
      yield {
        ...found,
        message: `${name} has no addresses, and DHCP brings a gateway of its own; add addresses, or remove this`,
      };
    } else if (addressing.addresses.some((own) => canonical(addressOf(own)) === canonical(address))) {
      yield { ...found, message: `${address} is the node's own address; write the router's` };
    } else if (!isOnLink(address, addressing.addresses)) {
      const networks = addressing.addresses.map(networkOf).join(', ');
      yield { ...found, message: `${address} lies in no network of ${name} (${networks}); write a router that does` };
    }
  }
  for (const { item, first } of repeated(gateways, ({ address }) => familyOf(address))) {
    yield {
      code: 'several-gateways',
      path: item.path,
      at: 'value',
      message: `this node has an ${familyOf(item.address)} gateway already, and packets take either at random; keep one`,
      notes: [{ path: first.path, at: 'value', message: 'it stands here first' }],
    };
  }
}

/** Every interface has a link-local network of IPv6, in which routers live too. */
function isOnLink(gateway: string, addresses: readonly string[]): boolean {
  const linkLocal = familyOf(gateway) === 'IPv6' && specialKind(gateway) === 'a link-local address';
  return linkLocal || addresses.some((own) => contains(own, gateway));
}

function staticAddressesOf({ interfaces }: Node): string[] {
  return interfaces.flatMap(({ addressing }) => (addressing.kind === 'static' ? addressing.addresses : []));
}

function* checkPlannedAddress(node: Node, path: Path): Iterable<Diagnostic> {
  const own = staticAddressesOf(node).map(addressOf);
  if (own.some((address) => canonical(address) === canonical(node.address))) return;
  yield {
    code: 'address-not-configured',
    path: [...path, 'address'],
    at: 'value',
    message: `no interface of ${node.name} gets ${node.address}; it will have ${own.join(', ')}: correct the one or the other`,
    notes: [{ path: [...path, 'interfaces'], at: 'key', message: 'the interfaces are here' }],
  };
}

function* checkWayToApiServers(node: Node, path: Path, { controlPlane }: Cluster): Iterable<Diagnostic> {
  const own = staticAddressesOf(node);
  const routers = node.interfaces.flatMap(({ gateway }) =>
    gateway.kind === 'gateway' ? [familyOf(gateway.address)] : [],
  );
  const reaches = ({ host }: Endpoint): boolean =>
    isIP(host) === 0 || routers.includes(familyOf(host)) || own.some((address) => contains(address, host));
  if (controlPlane.apiServers.some(reaches)) return;
  const networks = own.map(networkOf).join(', ');
  const message = `${node.name} has no gateway, and no apiserver lies in its networks (${networks}); add a gateway`;
  yield { code: 'unreachable-api-servers', path: [...path, 'interfaces'], at: 'key', message };
}
