import type { Cluster } from '../../cluster/cluster.ts';
import { imageArtifacts } from '../../lock/needed-artifacts.ts';

export function artifactNames(cluster: Cluster): string[] {
  return imageArtifacts(cluster).map(({ name }) => name);
}

/** artifacts.tsv for scripts/check-artifacts.sh: name, URL, SHA-256. */
export function artifactList(cluster: Cluster): string {
  return imageArtifacts(cluster)
    .map(({ name, url, expected }) => {
      const sha256 = expected.kind === 'digest' ? expected.digest.replace('sha256:', '') : 'trust-first-download';
      return `${name}\t${url}\t${sha256}\n`;
    })
    .join('');
}
