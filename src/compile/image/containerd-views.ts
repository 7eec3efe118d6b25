import { satisfies } from '../../catalog/satisfies.ts';
import { findOperatingSystem } from '../../catalog/operating-systems.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { quoteToml } from '../../templates/quote-toml.ts';

export function containerdConfigView({ profile, containerd, kubelet }: Cluster): object {
  return {
    guide: profile === 'guide',
    directory: containerd.directory,
    sandboxImage: quoteToml(containerd.sandboxImage),
    systemdCgroup: kubelet.cgroupDriver === 'systemd',
  };
}

export function containerdUnitView(cluster: Cluster): object {
  const guide = cluster.profile === 'guide';
  return {
    guide,
    // It tells systemd that it is ready from 1.4.0 on (containerd/containerd#3855); before, it would never be.
    notifies: !guide && satisfies(cluster.containerd.version, '>=1.4.0'),
    modprobe: findOperatingSystem(cluster.image.os).modprobe,
  };
}

export function containerdStateView({ containerd }: Cluster): object {
  return { directory: containerd.directory };
}
