import { isIPv6 } from 'node:net';
import type { Endpoint } from './cluster.ts';

/** host:port as in a URL, IPv6 in brackets (RFC 3986, 3.2.2). */
export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
