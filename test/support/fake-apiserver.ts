import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { issue, makeAuthority, requestedIn } from './make-certificate.ts';

/** Part of an object that an apiserver keeps. */
export interface Stored {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
  readonly spec: { readonly request: string };
  readonly status: { readonly conditions?: readonly { readonly type: string }[]; readonly certificate?: string };
}

/** What goes wrong with one request. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** `late`: what was asked for is done, and only the answer is lost. */
  | 'reset'
  | 'late reset'
  | 'cut short'
  | 'no JSON'
  | 'silence'
  /** Somebody else changes the object first. */
  | 'changed'
  | 'gone';

export interface FakeApiServer {
  readonly url: string;
  /** Of the server, and of who signs what is approved. */
  readonly certificate: string;
  readonly requests: { readonly method: string; readonly path: string; readonly at: number }[];
  readonly objects: Map<string, Stored>;
  /** Logins that are good; undefined: any. */
  tokens: readonly string[] | undefined;
  /** Called when a request has come. */
  onRequest: () => void;
  close(): Promise<void>;
}

/**
 * An apiserver as far as certificate signing requests go, for what real ones do on bad days only. What is approved is issued
 * when it is listed next.
 * @param faults of the first requests with such a key: `list`, `list again` (a further page), `approve`, `group`
 */
export async function fakeApiServer(
  objects: readonly Stored[],
  faults: Readonly<Record<string, readonly (Fault | undefined)[]>> = {},
): Promise<FakeApiServer> {
  const { certificate, keys } = makeAuthority();
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const stored = new Map(objects.map((object) => [object.metadata.name, object]));
  const requests: { method: string; path: string; at: number }[] = [];
  const counts = new Map<string, number>();
  const server = createServer({ cert: certificate, key }, (request, response) => void answer(request, response));
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeApiServer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    requests,
    objects: stored,
    tokens: undefined,
    onRequest: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function nextFault(kind: string): Fault | undefined {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return faults[kind]?.[count];
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request;
    requests.push({ method, path, at: performance.now() });
    fake.onRequest();
    const body = await readAll(request);
    const kind = kindOf(method, path);
    const fault = nextFault(kind);
    const send = (status: number, value: unknown, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    };
    if (fake.tokens?.includes(request.headers.authorization?.replace('Bearer ', '') ?? '') === false) {
      send(401, { message: 'Unauthorized' });
    } else if (fault === 'silence') {
      // Until the test is over.
    } else if (fault === 'reset') request.socket.destroy();
    else if (fault === 'no JSON') response.end('<html>');
    else if (fault === 'cut short') {
      response.writeHead(200, { 'content-length': 1000 }).write('{"items": [', () => request.socket.destroy());
    } else if (typeof fault === 'object') send(fault.status, { message: 'on purpose' }, fault.headers);
    else if (kind === 'group') send(200, { versions: [{ version: 'v1' }] });
    else if (kind === 'approve') approve(body, fault, send, () => request.socket.destroy());
    else list(new URL(path, fake.url).searchParams, send);
  }

  function list(query: URLSearchParams, send: (status: number, value: unknown) => void): void {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit'));
    for (const object of stored.values()) {
      if (object.status.conditions === undefined || object.status.certificate !== undefined) continue;
      const { request } = object.spec;
      const issued = issue(requestedIn(Buffer.from(request, 'base64').toString()), keys);
      const status = { ...object.status, certificate: Buffer.from(issued).toString('base64') };
      stored.set(object.metadata.name, { ...object, status });
    }
    const metadata = to < stored.size ? { continue: String(to) } : {};
    const items = [...stored.values()].slice(from, to);
    send(200, { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequestList', metadata, items });
  }

  function approve(
    body: string,
    fault: Fault | undefined,
    send: (status: number, value: unknown) => void,
    reset: () => void,
  ): void {
    const put = JSON.parse(body) as Stored;
    const { name, resourceVersion } = put.metadata;
    const object = stored.get(name);
    if (fault === 'gone') stored.delete(name);
    if (object === undefined || fault === 'gone') {
      send(404, { message: 'not found' });
      return;
    }
    const next = { ...object.metadata, resourceVersion: String(Number(object.metadata.resourceVersion) + 1) };
    if (fault === 'changed') stored.set(name, { ...object, metadata: next });
    if (fault === 'changed' || object.metadata.resourceVersion !== resourceVersion) {
      send(409, { message: 'the object has been modified' });
      return;
    }
    stored.set(name, { ...put, metadata: next });
    if (fault === 'late reset') reset();
    else send(200, stored.get(name));
  }

  return fake;
}

function kindOf(method: string, path: string): string {
  if (method === 'PUT') return 'approve';
  if (path === '/apis/certificates.k8s.io') return 'group';
  return path.includes('continue=') ? 'list again' : 'list';
}
