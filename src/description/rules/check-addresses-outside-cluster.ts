import { isIP } from 'node:net';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { canonical, contains } from './addresses.ts';
import type { Subject } from './rule.ts';
import { staticAddresses } from './static-addresses.ts';

/** kube-proxy and the CNI plugin take every address of a pod or service away from the machines. */
export function* checkAddressesOutsideCluster({ cluster }: Subject): Iterable<Diagnostic> {
  const { podCidr, serviceCidr } = cluster.network;
  for (const { address, path } of machineAddresses(cluster)) {
    for (const [owner, cidr, key] of [
      ["the pods'", podCidr, 'podCIDR'],
      ["the services'", serviceCidr, 'serviceCIDR'],
    ] as const) {
      if (!contains(cidr, address)) continue;
      yield {
        code: 'address-in-cluster-network',
        path,
        at: 'value',
        message: `${address} lies in ${owner} network ${cidr}, where no machine can be reached; change the one or the other`,
        notes: [{ path: ['network', key], at: 'value', message: `${owner} network is here` }],
      };
    }
  }
}

interface MachineAddress {
  readonly address: string;
  readonly path: Path;
}

function* machineAddresses({ controlPlane, nodes }: Cluster): Iterable<MachineAddress> {
  for (const [index, { host }] of controlPlane.apiServers.entries()) {
    if (isIP(host) !== 0) yield { address: host, path: ['controlPlane', 'apiServers', index] };
  }
  for (const [index, { address }] of nodes.entries()) yield { address, path: ['nodes', index, 'address'] };
  for (const { node, address, path } of staticAddresses(nodes)) {
    if (canonical(address) !== canonical(node.address)) yield { address, path };
  }
}
