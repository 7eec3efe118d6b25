import { isIPv6 } from 'node:net';
import type { Cluster, Endpoint } from '../../cluster/cluster.ts';

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

function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
