import type { Node } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { canonical, specialKind } from './addresses.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';
import { staticAddresses } from './static-addresses.ts';

/** Every address belongs to one node, and is one that a node can have. */
export function* checkNodeAddresses({ cluster }: Subject): Iterable<Diagnostic> {
  const used = [...usedAddresses(cluster.nodes)];
  for (const { item, first } of repeated(used, ({ address }) => canonical(address))) {
    const owner = item.node === first.node ? 'this node' : first.node.name;
    yield {
      code: 'duplicate-address',
      path: item.path,
      at: 'value',
      message: `${owner} has the address ${item.address} already; write each address once`,
      notes: [{ path: first.path, at: 'value', message: 'it stands here first' }],
    };
  }
  for (const { address, path } of used) {
    const kind = specialKind(address);
    if (kind === undefined) continue;
    const message = `${address} is ${kind}, which kubelet refuses; write the address by which others reach the node`;
    yield { code: 'unusable-address', path, at: 'value', message };
  }
}

interface UsedAddress {
  readonly node: Node;
  readonly address: string;
  readonly path: Path;
}

/** The planned addresses and the static ones, among which each planned one may stand once more. */
function* usedAddresses(nodes: readonly Node[]): Iterable<UsedAddress> {
  for (const [index, node] of nodes.entries()) yield { node, address: node.address, path: ['nodes', index, 'address'] };
  const seen = new Set<Node>();
  for (const used of staticAddresses(nodes)) {
    const isPlanned = canonical(used.address) === canonical(used.node.address);
    if (!isPlanned || seen.has(used.node)) yield used;
    if (isPlanned) seen.add(used.node);
  }
}
