import { isIP } from 'node:net';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { canonical, specialKind } from './addresses.ts';
import type { Subject } from './rule.ts';
import { staticAddresses } from './static-addresses.ts';

/** kubelet reaches kube-nginx on its own node, at a port that nothing else takes there. */
export function* checkListen({ cluster }: Subject): Iterable<Diagnostic> {
  const { host, port } = cluster.kubeNginx.listen;
  const found = { path: ['kubeNginx', 'listen'], at: 'value' } as const;
  if (isIP(host) === 0 || specialKind(host) !== 'a loopback address') {
    const message = `${host} is no loopback address, and kube-nginx serves its own node only; write 127.0.0.1:${port}`;
    yield { ...found, code: 'listen-not-loopback', message };
  }
  const taken = ownerOfPort(port, cluster);
  if (taken === undefined) return;
  const message = `port ${port} is taken by ${taken.owner} on the same machine; write another, such as 8443`;
  const notes = taken.path === undefined ? [] : [{ path: taken.path, at: 'value' as const, message: 'it is here' }];
  yield { ...found, code: 'listen-port-taken', message, notes };
}

interface Owner {
  readonly owner: string;
  readonly path?: Path;
}

/** sshd and an apiserver listen on every address, unless told otherwise, and kubelet's healthz on 127.0.0.1. */
function ownerOfPort(port: number, { controlPlane, kubelet, nodes }: Cluster): Owner | undefined {
  if (port === 22) return { owner: 'sshd' };
  if (port === kubelet.config['healthzPort']) return { owner: "kubelet's healthz" };
  for (const [index, server] of controlPlane.apiServers.entries()) {
    if (server.port !== port || isIP(server.host) === 0) continue;
    const address = canonical(server.host);
    const node =
      nodes.find((other) => canonical(other.address) === address) ??
      [...staticAddresses(nodes)].find((own) => canonical(own.address) === address)?.node;
    if (node !== undefined)
      return { owner: `the apiserver on ${node.name}`, path: ['controlPlane', 'apiServers', index] };
  }
  return undefined;
}
