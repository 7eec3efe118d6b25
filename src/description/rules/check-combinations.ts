import { violations, type Facts, type Setting } from '../../catalog/constraints.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** What cannot work together is in the catalog; here it meets the line that says so. */
export function* checkCombinations({ spec, cluster }: Subject): Iterable<Diagnostic> {
  const isWritten = (setting: Setting): boolean => valueAt(spec, paths[setting]) !== undefined;
  for (const { blame, involves, message } of violations(factsOf(cluster))) {
    const [place, ...others] = [blame, ...involves].filter(isWritten);
    yield {
      code: 'cannot-work-together',
      // Where everything is a default, the profile chose it.
      path: place === undefined ? ['profile'] : paths[place],
      at: 'value',
      message,
      notes: others.map((setting) => ({ path: paths[setting], at: 'value', message: 'it goes with what stands here' })),
    };
  }
}

const paths: Readonly<Record<Setting, Path>> = {
  'nginx.version': ['kubeNginx', 'version'],
  'nginx.balance': ['kubeNginx', 'balance'],
  'nginx.socketKeepalive': ['kubeNginx', 'proxyTimeout'],
  'containerd.version': ['containerd', 'version'],
  'containerd.build': ['containerd', 'build'],
  'runc.version': ['runc', 'version'],
  'crictl.version': ['crictl', 'version'],
  'cniPlugins.version': ['cniPlugins', 'version'],
  'kubelet.version': ['kubelet', 'version'],
  'apiServer.version': ['controlPlane', 'version'],
  os: ['image', 'os'],
  cgroup: ['image', 'cgroup'],
  architecture: ['architecture'],
};

function valueAt(spec: unknown, path: Path): unknown {
  return path.reduce<unknown>((below, step) => (below as Record<string, unknown> | undefined)?.[step], spec);
}

function factsOf({ image, architecture, controlPlane, kubeNginx, ...cluster }: Cluster): Facts {
  return {
    os: image.os,
    architecture,
    cgroup: image.cgroup,
    apiServerVersion: controlPlane.version,
    versions: {
      nginx: kubeNginx.version,
      containerd: cluster.containerd.version,
      runc: cluster.runc.version,
      crictl: cluster.crictl.version,
      cniPlugins: cluster.cniPlugins.version,
      kubelet: cluster.kubelet.version,
    },
    containerdBuild: cluster.containerd.build,
    nginx: { balance: kubeNginx.balance, socketKeepalive: kubeNginx.lossDetection.kind === 'keepalive' },
  };
}
