import { findPlatform } from '../../catalog/platforms.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** What a node says about its network reaches it: by a network-config, which not every target takes. */
export function* checkUserDataTarget({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const { source } = cluster.image;
  const { target } = cluster.userData;
  if (source === 'amazon-ebs' && target !== 'ec2') {
    const message = `an AMI runs on EC2, and ${target} is another place; write ec2, or remove the key`;
    yield { code: 'target-of-other-image', path: ['userData', 'target'], at: 'value', message };
  }
  const taken = findPlatform(target).takesNetworkConfig;
  for (const [index, node] of spec.nodes.entries()) {
    const found = (['interfaces', 'nameservers', 'searchDomains'] as const).filter((key) => node[key] !== undefined);
    for (const key of found) {
      const path = ['nodes', index, key];
      if (!taken) {
        const message = `${target} takes no network-config, so that ${key} would go nowhere; remove the key, and set it up in ${target} itself`;
        yield { code: 'target-takes-no-network', path, at: 'key', message };
      } else if (!found.includes('interfaces')) {
        const message = `${key} belong to an interface, and this node names none; add interfaces`;
        yield { code: 'resolver-without-interface', path, at: 'key', message };
      }
    }
  }
}
