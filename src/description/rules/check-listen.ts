import { isIP } from 'node:net';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { addressOf, canonical, specialKind } from './addresses.ts';
import type { Subject } from './rule.ts';

/** kubelet reaches kube-nginx on its own node, at a port that nothing else takes there. */
export function* checkListen({ cluster }: Subject): Iterable<Diagnostic> {
  const { host, port } = cluster.kubeNginx.listen;
  const found = { path: ['kubeNginx', 'listen'], at: 'value' } as const;
  if (isIP(host) === 0 || specialKind(host) !== 'a loopback address') {
    const message = `${host} is no loopback address, and kube-nginx serves its own node only; write 127.0.0.1:${port}`;
    yield { ...found, code: 'listen-not-loopback', message };
  }
  const taken = takenPorts(cluster).find((other) => other.port === port);
  if (taken === undefined) return;
  const message = `port ${port} is taken by ${taken.owner} on the same machine; write another, such as 8443`;
  const notes = taken.path === undefined ? [] : [{ path: taken.path, at: 'value' as const, message: 'it is here' }];
  yield { ...found, code: 'listen-port-taken', message, notes };
}

interface TakenPort {
  readonly port: number;
  readonly owner: string;
  readonly path?: Path;
}

/** sshd and an apiserver listen on every address, unless told otherwise, and kubelet's healthz on 127.0.0.1. */
function takenPorts({ controlPlane, kubelet, nodes }: Cluster): TakenPort[] {
  const healthz = kubelet.config['healthzPort'];
  const owners = new Map(
    nodes.flatMap(({ name, address, interfaces }) => [
      [canonical(address), name] as const,
      ...interfaces.flatMap(({ addressing }) =>
        addressing.kind === 'static'
          ? addressing.addresses.map((own) => [canonical(addressOf(own)), name] as const)
          : [],
      ),
    ]),
  );
  const apiServers = controlPlane.apiServers.flatMap(({ host, port }, index): TakenPort[] => {
    const owner = isIP(host) === 0 ? undefined : owners.get(canonical(host));
    if (owner === undefined) return [];
    return [{ port, owner: `the apiserver on ${owner}`, path: ['controlPlane', 'apiServers', index] }];
  });
  return [
    ...apiServers,
    { port: 22, owner: 'sshd' },
    ...(typeof healthz === 'number' ? [{ port: healthz, owner: "kubelet's healthz" }] : []),
  ];
}
