import { formatEndpoint } from '../../cluster/format-endpoint.ts';
import type { Endpoint } from '../../cluster/cluster.ts';
import type { ProxyFor } from '../environment-proxies.ts';

/** How an apiserver is reached, and as whom. */
export interface Connection {
  /** https://HOST:PORT, perhaps with a path, without a slash at its end: the one that is meant, and who stands in for it. */
  readonly servers: readonly [string, ...string[]];
  readonly proxyFor: ProxyFor;
  /**
   * Asked for each request, since files, and what a plugin gives, are renewed.
   * @param signal ends the waiting for a plugin
   * @throws Failure `kubeconfig-unusable`, or the reason of that signal or of the one that ends a plugin
   */
  readonly login: (signal: AbortSignal) => Login | Promise<Login>;
  /** Takes a login that the cluster does not: one that a plugin gave is not used again. */
  readonly forget: (login: Login) => void;
}

export interface Login {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** For TLS, as node:tls takes it. */
  readonly tls: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: false;
  };
}

/** Where the apiserver that is meant is one of several, the others stand in for it, by the same login. */
export function withStandIns(connection: Connection, apiServers: readonly Endpoint[]): Connection {
  const [meant] = connection.servers;
  const isMeant = (server: string): boolean => new URL(server).href === new URL(meant).href;
  const servers = apiServers.map((endpoint) => `https://${formatEndpoint(endpoint)}`);
  if (!servers.some(isMeant)) return connection;
  return { ...connection, servers: [meant, ...servers.filter((server) => !isMeant(server))] };
}
