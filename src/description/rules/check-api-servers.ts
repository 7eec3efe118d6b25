import { isIP } from 'node:net';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { canonical, specialKind } from './addresses.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';

/** kube-nginx balances over each apiserver once, and from every node. */
export function* checkApiServers({ cluster }: Subject): Iterable<Diagnostic> {
  const servers = cluster.controlPlane.apiServers.map(({ host, port }, index) => ({
    host: isIP(host) === 0 ? host : canonical(host),
    port,
    path: ['controlPlane', 'apiServers', index],
  }));
  for (const { item, first } of repeated(servers, ({ host, port }) => `${host} ${port}`)) {
    yield {
      code: 'duplicate-api-server',
      path: item.path,
      at: 'value',
      message: 'this apiserver stands in the list already; keep one',
      notes: [{ path: first.path, at: 'value', message: 'it stands here first' }],
    };
  }
  for (const { host, path } of servers) {
    if (host !== 'localhost' && (isIP(host) === 0 || !/loopback|unspecified/.test(specialKind(host) ?? ''))) continue;
    const message = `with ${host} every node looks for an apiserver on itself; write an address that all nodes reach`;
    yield { code: 'api-server-on-every-node', path, at: 'value', message };
  }
}
