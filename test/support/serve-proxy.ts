import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Proxy {
  /** HOST:PORT */
  readonly url: string;
  /** What it was asked for, with the login and the user of a client certificate where there was one. */
  readonly seen: string[];
  readonly close: () => void;
}

/**
 * A proxy as companies have them: https://www.rfc-editor.org/rfc/rfc9110#CONNECT and absolute URLs.
 * @param hosts names that only the proxy knows
 * @param tls for one that is https:// itself
 */
export async function serveProxy(hosts: Readonly<Record<string, string>> = {}, tls?: ServerOptions): Promise<Proxy> {
  const seen: string[] = [];
  const sockets: Socket[] = [];
  const get: RequestListener = (request, response) => {
    seen.push(`GET ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    void fetch(request.url ?? '').then(async (answer) => {
      const bytes = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, { 'content-length': bytes.length }).end(bytes);
    });
  };
  const proxy = tls === undefined ? createServer(get) : createTlsServer(tls, get);
  proxy.on('connect', (request, socket: Socket) => {
    const login = request.headers['proxy-authorization'] ?? '';
    const user = socket instanceof TLSSocket ? (socket.getPeerX509Certificate()?.subject ?? '') : '';
    seen.push(`CONNECT ${request.url ?? ''} ${login}${user}`.trim());
    const [host = '', port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), hosts[host] ?? host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.push(socket, upstream);
    socket.on('error', () => undefined);
    upstream.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    proxy.closeAllConnections();
    proxy.close();
  };
  return { url: `127.0.0.1:${(proxy.address() as AddressInfo).port}`, seen, close };
}
