import { artifactOf } from '../../catalog/artifacts.ts';
import type { Cluster, Component, Digest } from '../../cluster/cluster.ts';

interface ImageArtifact {
  /** The name that the scripts know it by. */
  readonly name: string;
  readonly url: string;
  readonly component: Component;
}

/** What goes into the image beside apt's packages. */
function imageArtifacts(cluster: Cluster): readonly ImageArtifact[] {
  const { architecture, kubeNginx, containerd, runc, crictl, cniPlugins, kubelet } = cluster;
  const artifact = (name: string, { url }: { url: string }, component: Component) => ({ name, url, component });
  return [
    artifact('nginx.tar.gz', artifactOf('nginx', kubeNginx.version, architecture), kubeNginx),
    artifact(
      'containerd.tar.gz',
      artifactOf('containerd', containerd.version, architecture, containerd.build),
      containerd,
    ),
    artifact('runc', artifactOf('runc', runc.version, architecture), runc),
    artifact('crictl.tar.gz', artifactOf('crictl', crictl.version, architecture), crictl),
    artifact('cni-plugins.tgz', artifactOf('cniPlugins', cniPlugins.version, architecture), cniPlugins),
    artifact('kubelet', artifactOf('kubelet', kubelet.version, architecture), kubelet),
  ];
}

export function artifactNames(cluster: Cluster): string[] {
  return imageArtifacts(cluster).map(({ name }) => name);
}

/** artifacts.tsv for scripts/check-artifacts.sh: name, URL, SHA-256. */
export function artifactList(cluster: Cluster): string {
  return imageArtifacts(cluster)
    .map(({ name, url, component }) => `${name}\t${url}\t${expected(component.digest)}\n`)
    .join('');
}

function expected(digest: Digest): string {
  switch (digest.kind) {
    case 'sha256':
      return digest.hex;
    case 'trustFirstDownload':
      return 'trust-first-download';
    case 'unknown':
      throw new Error('a download without a digest passed the rules');
  }
}
