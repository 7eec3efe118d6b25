import type { Cluster } from '../../cluster/cluster.ts';
import { formatEndpoint } from '../../cluster/format-endpoint.ts';

export function kubeNginxConfigView({ profile, controlPlane, kubeNginx }: Cluster): object {
  const { balance, connectTimeout, maxFails, failTimeout, listen, lossDetection } = kubeNginx;
  return {
    guide: profile === 'guide',
    balance,
    servers: controlPlane.apiServers.map((server) => ({ address: formatEndpoint(server), maxFails, failTimeout })),
    listen: formatEndpoint(listen),
    connectTimeout,
    proxyTimeout: lossDetection.kind === 'keepalive' ? lossDetection.proxyTimeout : undefined,
  };
}

export function kubeNginxUnitView({ profile }: Cluster): object {
  return { guide: profile === 'guide' };
}
