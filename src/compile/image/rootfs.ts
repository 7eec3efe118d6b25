import { isIPv6 } from 'node:net';
import { findOperatingSystem } from '../../catalog/operating-systems.ts';
import type { Cluster, Component } from '../../cluster/cluster.ts';
import type { Templates } from '../../templates/templates.ts';
import type { OutputFile } from '../output-file.ts';
import { containerdConfigView, containerdStateView, containerdUnitView } from './containerd-views.ts';
import { kubeNginxConfigView, kubeNginxUnitView } from './kube-nginx-views.ts';
import { kubeletUnitView } from './kubelet-unit-view.ts';

/** What the templates below rootfs/ see. A file of the image that holds values has a line here. */
const views: Readonly<Record<string, (cluster: Cluster) => object>> = {
  'etc/bake-release': release,
  'etc/containerd/config.toml': containerdConfigView,
  'etc/default/grub.d/90-bake.cfg': kernelArguments,
  'etc/kubernetes/cert/ca.pem': certificateAuthority,
  'etc/systemd/system/bake-check.timer': checkTimer,
  'etc/systemd/system/containerd.service': containerdUnitView,
  'etc/systemd/system/kube-nginx.service': kubeNginxUnitView,
  'etc/systemd/system/kubelet.service': kubeletUnitView,
  'etc/systemd/timesyncd.conf.d/90-bake.conf': timeServers,
  'etc/tmpfiles.d/containerd.conf': containerdStateView,
  'opt/k8s/kube-nginx/conf/kube-nginx.conf': kubeNginxConfigView,
};

/** The files that only some images have; any other file is in each. */
const conditions: Readonly<Record<string, (cluster: Cluster) => boolean>> = {
  'etc/default/grub.d/90-bake.cfg': ({ image }) => image.cgroupOnCommandLine,
  'etc/sysctl.d/kube-nginx.conf': ({ kubeNginx }) => kubeNginx.lossDetection.kind === 'keepalive',
  'etc/sysctl.d/kubernetes-ipv6.conf': ({ network }) => isIPv6(network.podCidr.split('/')[0] ?? ''),
  'etc/systemd/timesyncd.conf.d/90-bake.conf': ({ image }) => image.ntpServers.length > 0,
  'etc/tmpfiles.d/containerd.conf': ({ profile }) => profile === 'default',
};

/** packer/rootfs/, which mirrors the image's own file system. */
export function* rootfsFiles(cluster: Cluster, templates: Templates): Iterable<OutputFile> {
  const folder = 'packer/rootfs/';
  for (const { path, text } of templates.list('packer/rootfs')) {
    const target = path.slice(folder.length).replace(/\.hbs$/, '');
    if (conditions[target]?.(cluster) === false) continue;
    yield {
      path: folder + target,
      // By the first line, since zip files and some file systems lose the mode.
      mode: text.startsWith('#!') ? 0o755 : 0o644,
      content: path.endsWith('.hbs') ? templates.render(path, viewOf(target, cluster)) : text,
    };
  }
}

function viewOf(target: string, cluster: Cluster): object {
  const view = views[target];
  if (view === undefined) throw new Error(`rootfs/${target} has no view`);
  return view(cluster);
}

function release({ lock, kubeNginx, containerd, runc, crictl, cniPlugins, kubelet }: Cluster): object {
  return {
    lock: lock.kind === 'locked' ? lock.sha256 : 'none',
    versions: [
      ['NGINX', kubeNginx],
      ['CONTAINERD', containerd],
      ['RUNC', runc],
      ['CRICTL', crictl],
      ['CNI_PLUGINS', cniPlugins],
      ['KUBELET', kubelet],
    ].map(([name, component]) => ({ name, version: (component as Component).version })),
  };
}

function certificateAuthority(cluster: Cluster): object {
  return { pem: cluster.controlPlane.certificateAuthority.trimEnd() };
}

function checkTimer(cluster: Cluster): object {
  return { after: cluster.image.checkAfter };
}

function kernelArguments(cluster: Cluster): object {
  return { cgroup: findOperatingSystem(cluster.image.os).cgroupArguments[cluster.image.cgroup] };
}

function timeServers(cluster: Cluster): object {
  return { servers: cluster.image.ntpServers.join(' ') };
}
