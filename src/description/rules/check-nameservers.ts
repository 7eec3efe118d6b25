import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { contains, specialKind } from './addresses.ts';
import type { Subject } from './rule.ts';

/** Pods ask the cluster's DNS, and that asks the nameservers of its node: they must not lead back. */
export function* checkNameservers({ cluster }: Subject): Iterable<Diagnostic> {
  for (const [node, { nameservers }] of cluster.nodes.entries()) {
    for (const [index, address] of nameservers.entries()) {
      const reason = contains(cluster.network.serviceCidr, address) ? 'an address of a service' : specialKind(address);
      if (reason === undefined || reason === 'a link-local address') continue;
      yield {
        code: 'nameserver-loop',
        path: ['nodes', node, 'nameservers', index],
        at: 'value',
        message: `${address} is ${reason}, and the cluster's DNS would ask itself; write a nameserver outside the cluster`,
      };
    }
  }
}
