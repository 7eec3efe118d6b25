import type { Cluster } from '../../cluster/cluster.ts';
import { imageArtifacts } from '../../lock/needed-artifacts.ts';
import { isLocal } from '../../lock/lock.ts';

/** downloads.tsv for scripts/download-artifacts.sh: the name that the other scripts know it by, URL, SHA-256. */
export function downloads(cluster: Cluster): string {
  return imageArtifacts(cluster)
    .filter(({ url }) => !isLocal(url))
    .map(({ name, url, expected }) => {
      const sha256 = expected.kind === 'digest' ? expected.digest.replace('sha256:', '') : 'trust-first-download';
      return `${name}\t${url}\t${sha256}\n`;
    })
    .join('');
}
