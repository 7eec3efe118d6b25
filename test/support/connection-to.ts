import type { Connection } from '../../src/edges/kubernetes/connection.ts';
import type { FakeApiServer } from './fake-apiserver.ts';

/** The way to an apiserver, by the token of the moment. */
export function connectionTo(
  { url, certificate }: FakeApiServer,
  token: () => string = () => 'any',
  standIns: readonly string[] = [],
): Connection {
  return {
    servers: [url, ...standIns],
    proxyFor: () => undefined,
    login: () => ({ headers: { authorization: `Bearer ${token()}` }, tls: { ca: Buffer.from(certificate) } }),
    forget: () => undefined,
  };
}
