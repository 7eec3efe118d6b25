import type { Cluster } from '../../cluster/cluster.ts';

/** The lines that scripts/add-hosts.sh adds to /etc/hosts, so that every node knows every other by name. */
export function hosts(cluster: Cluster): string {
  return cluster.nodes.map(({ name, address }) => `${address} ${name}\n`).join('');
}
