import { artifactOf } from '../../catalog/artifacts.ts';
import type { Cluster, Component, Digest } from '../../cluster/cluster.ts';

/** downloads.tsv for scripts/download-artifacts.sh: the name that the other scripts know it by, URL, SHA-256. */
export function downloads(cluster: Cluster): string {
  const { architecture, kubeNginx, containerd, runc, crictl, cniPlugins, kubelet } = cluster;
  const line = (name: string, { url }: { url: string }, { digest }: Component) =>
    `${name}\t${url}\t${expected(digest)}\n`;
  return [
    line('nginx.tar.gz', artifactOf('nginx', kubeNginx.version, architecture), kubeNginx),
    line('containerd.tar.gz', artifactOf('containerd', containerd.version, architecture, containerd.build), containerd),
    line('runc', artifactOf('runc', runc.version, architecture), runc),
    line('crictl.tar.gz', artifactOf('crictl', crictl.version, architecture), crictl),
    line('cni-plugins.tgz', artifactOf('cniPlugins', cniPlugins.version, architecture), cniPlugins),
    line('kubelet', artifactOf('kubelet', kubelet.version, architecture), kubelet),
  ].join('');
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
