import type { Connection, Login } from '../../src/edges/kubernetes/connection.ts';
import type { FakeApiServer } from './fake-apiserver.ts';

/** The way to an apiserver, by the token of the moment. */
export function connectionTo({ url, certificate }: FakeApiServer, token: () => string = () => 'any'): Connection {
  return {
    servers: [url],
    proxyFor: () => undefined,
    login: (): Login => ({ headers: { authorization: `Bearer ${token()}` }, tls: { ca: Buffer.from(certificate) } }),
    forget: () => undefined,
  };
}
