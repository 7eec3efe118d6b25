import type { KubeletFlag, Profile } from '../cluster/cluster.ts';
import { nodePaths } from '../cluster/node-paths.ts';

/** Flags of the guide's unit, section 3 (4), in its order, and the two that it lacks (docs/deviations.md). */
export function defaultKubeletFlags(profile: Profile, directory: string, sandboxImage: string): KubeletFlag[] {
  const root = `${directory}/kubelet`;
  const flag = (name: string, text: string): KubeletFlag => ({ name, value: { kind: 'text', text } });
  const guide = profile === 'guide';
  return [
    flag('bootstrap-kubeconfig', nodePaths.bootstrapKubeconfig),
    flag('cert-dir', nodePaths.certificates),
    flag('network-plugin', 'cni'),
    flag('cni-conf-dir', nodePaths.cniConfig),
    flag('container-runtime', 'remote'),
    flag('container-runtime-endpoint', 'unix:///var/run/containerd/containerd.sock'),
    flag('root-dir', root),
    flag('kubeconfig', nodePaths.kubeconfig),
    flag('config', nodePaths.kubeletConfig),
    { name: 'hostname-override', value: { kind: 'variable', variable: 'KUBELET_HOSTNAME' } },
    // A node with several interfaces would ask for a certificate for another address than planned, and one without a
    // default route for none at all.
    ...(guide ? [] : [{ name: 'node-ip', value: { kind: 'variable', variable: 'KUBELET_NODE_IP' } } as const]),
    flag('image-pull-progress-deadline', '15m'),
    // kubelet protects this image, its default 3.2, from garbage collection; containerd pulls another.
    ...(guide ? [] : [flag('pod-infra-container-image', sandboxImage)]),
    flag('volume-plugin-dir', `${root}/kubelet-plugins/volume/exec/`),
    flag('logtostderr', 'true'),
    flag('v', '2'),
  ];
}

/** The user's flags over bake's, each in the place of the one that it replaces. */
export function mergeKubeletFlags(base: readonly KubeletFlag[], over: Readonly<Record<string, string>>): KubeletFlag[] {
  const merged = new Map(base.map(({ name, value }) => [name, value]));
  for (const [name, text] of Object.entries(over)) merged.set(name, { kind: 'text', text });
  return [...merged].map(([name, value]) => ({ name, value }));
}
