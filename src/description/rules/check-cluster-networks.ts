import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { addressOf, networkOf, overlap, specialKind } from './addresses.ts';
import type { Subject } from './rule.ts';
import { staticAddresses } from './static-addresses.ts';

/** The networks of pods, services and nodes are different ones. */
export function* checkClusterNetworks({ cluster }: Subject): Iterable<Diagnostic> {
  const pods: Network = { owner: "the pods'", cidr: cluster.network.podCidr, path: ['network', 'podCIDR'] };
  const services: Network = {
    owner: "the services'",
    cidr: cluster.network.serviceCidr,
    path: ['network', 'serviceCIDR'],
  };

  for (const { owner, cidr, path } of [pods, services]) {
    const kind = specialKind(addressOf(cidr));
    if (kind === undefined) continue;
    const message = `${owner} network ${cidr} starts with ${kind}; write a network that can be routed, such as 172.30.0.0/16`;
    yield { code: 'unusable-network', path, at: 'value', message };
  }
  if (overlap(pods.cidr, services.cidr)) yield overlapOf('overlapping-networks', services, pods);
  for (const nodes of nodeNetworks(cluster)) {
    for (const other of [pods, services]) {
      if (overlap(nodes.cidr, other.cidr)) yield overlapOf('node-network-overlap', nodes, other);
    }
  }
}

interface Network {
  readonly owner: string;
  readonly cidr: string;
  readonly path: Path;
}

function overlapOf(code: 'overlapping-networks' | 'node-network-overlap', here: Network, there: Network): Diagnostic {
  return {
    code,
    path: here.path,
    at: 'value',
    message: `${here.owner} network ${here.cidr} overlaps ${there.owner} ${there.cidr}, and some addresses mean both; separate them`,
    notes: [{ path: there.path, at: 'value', message: `${there.owner} network is here` }],
  };
}

/** The networks of static addresses, each where it is first written. */
function nodeNetworks({ nodes }: Cluster): Iterable<Network> {
  const networks = new Map<string, Network>();
  for (const { written, path } of staticAddresses(nodes)) {
    const cidr = networkOf(written);
    if (!networks.has(cidr)) networks.set(cidr, { owner: "the nodes'", cidr, path });
  }
  return networks.values();
}
