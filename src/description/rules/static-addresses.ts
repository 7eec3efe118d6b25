import type { Node } from '../../cluster/cluster.ts';
import type { Path } from '../../diagnostics/diagnostic.ts';
import { addressOf } from './addresses.ts';

export interface StaticAddress {
  readonly node: Node;
  /** With its prefix: 192.168.31.44/24. */
  readonly written: string;
  readonly address: string;
  readonly path: Path;
}

/** Every address that an interface is given, in the order of the description. */
export function* staticAddresses(nodes: readonly Node[]): Iterable<StaticAddress> {
  for (const [nodeIndex, node] of nodes.entries()) {
    for (const [index, { addressing }] of node.interfaces.entries()) {
      if (addressing.kind === 'dhcp') continue;
      for (const [position, written] of addressing.addresses.entries()) {
        const path = ['nodes', nodeIndex, 'interfaces', index, 'addresses', position];
        yield { node, written, address: addressOf(written), path };
      }
    }
  }
}
