import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { issue, makeAuthority, requestedIn } from './make-certificate.ts';

/** Part of an object that an apiserver keeps. */
export interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
  };
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
  | 'endless'
  | 'silence'
  /** Of a watch: it begins, and tells nothing. */
  | 'mute'
  | 'expired'
  | 'broken line'
  | 'over at once'
  /** Somebody else changes the object first. */
  | 'changed'
  | 'gone';

export interface FakeApiServer {
  readonly url: string;
  /** Of the server, and of who signs what is approved. */
  readonly certificate: string;
  readonly requests: { readonly method: string; readonly path: string; readonly at: number }[];
  readonly objects: Map<string, Stored>;
  /** The Secrets of bootstrap tokens, by the token's id. */
  readonly secrets: Map<string, { readonly uid: string; readonly creationTimestamp: string }>;
  /** How many watch now. */
  readonly watchers: number;
  /** Who holds the one Lease, '' for nobody; undefined where there is none. */
  readonly holder: string | undefined;
  /** Logins that are good; undefined: any. */
  tokens: readonly string[] | undefined;
  /** Whether somebody signs. */
  signs: boolean;
  /** What whoever asks is told of their rights. */
  mayApprove: boolean;
  /** How many of the last changes it can still tell to who begins to watch. */
  keeps: number;
  /** Puts an object in, as somebody who asks or changes it would; undefined takes it out. */
  store(name: string, object: Stored | undefined): void;
  /** Puts the Lease into somebody's hands. */
  holdLease(holderIdentity: string, leaseDurationSeconds: number): void;
  /** Issues what was asked for. */
  sign(name: string): void;
  /** Closes, and listens again at the same place after a moment. */
  restart(afterMs: number): Promise<void>;
  /** Called when a request has come. */
  onRequest: () => void;
  close(): Promise<void>;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Stored | object;
  readonly version: number;
}

interface LeaseHeld {
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
}

const types = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest' };

/**
 * An apiserver as far as certificate signing requests go, for what real ones do on bad days only. What is approved is issued
 * at once.
 * @param faults of the first requests with such a key: `list`, `list again` (a further page), `watch`, `approve`, `group`,
 * `lease`, `tokens` (their list), `delete token`; `approve NAME` for one object
 */
export async function fakeApiServer(
  objects: readonly Stored[],
  faults: Readonly<Record<string, readonly (Fault | undefined)[]>> = {},
): Promise<FakeApiServer> {
  const { certificate, keys } = makeAuthority();
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const stored = new Map(objects.map((object) => [object.metadata.name, object]));
  const secrets: FakeApiServer['secrets'] = new Map();
  const requests: { method: string; path: string; at: number }[] = [];
  const counts = new Map<string, number>();
  const changes: Change[] = [];
  let lease: { readonly metadata: object; readonly spec: LeaseHeld } | undefined;
  const watchers = new Set<(change: Change) => void>();
  let version = Math.max(0, ...objects.map(({ metadata }) => Number(metadata.resourceVersion)));
  const server = createServer({ cert: certificate, key }, (request, response) => void answer(request, response));
  server.on('clientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeApiServer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    requests,
    objects: stored,
    secrets,
    get watchers() {
      return watchers.size;
    },
    get holder() {
      return lease?.spec.holderIdentity;
    },
    tokens: undefined,
    signs: true,
    mayApprove: true,
    keeps: Infinity,
    onRequest: () => undefined,
    store,
    holdLease: (holderIdentity, leaseDurationSeconds) => {
      version += 1;
      lease = { metadata: { resourceVersion: String(version) }, spec: { holderIdentity, leaseDurationSeconds } };
    },
    sign,
    restart: async (afterMs) => {
      const { port } = server.address() as AddressInfo;
      await fake.close();
      setTimeout(() => server.listen(port, '127.0.0.1'), afterMs);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  /** As an apiserver does: the whole cluster has one count, and whoever watches is told. */
  function store(name: string, object: Stored | undefined): void {
    const before = stored.get(name);
    version += 1;
    const next = object ?? before;
    if (next === undefined) throw new Error(`there is no ${name}`);
    const counted = { ...types, ...next, metadata: { ...next.metadata, resourceVersion: String(version) } };
    if (object === undefined) stored.delete(name);
    else stored.set(name, counted);
    const type = object === undefined ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
    const change: Change = { type, object: counted, version };
    changes.push(change);
    for (const tell of watchers) tell(change);
  }

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
    const fault = nextFault(kind) ?? nextFault(`${kind} ${path.split('/').at(-2) ?? ''}`);
    const send = (status: number, value: unknown, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    };
    if (fake.tokens?.includes(request.headers.authorization?.replace('Bearer ', '') ?? '') === false) {
      send(401, { message: 'Unauthorized' });
    } else if (fault === 'silence') {
      // Until the test is over.
    } else if (fault === 'reset') request.socket.destroy();
    else if (fault === 'no JSON') response.end('<html>');
    else if (fault === 'endless') {
      const spaces = Buffer.alloc(1 << 20, ' ');
      Readable.from(
        (function* () {
          for (;;) yield spaces;
        })(),
      ).pipe(response);
    } else if (fault === 'cut short') {
      response.writeHead(200, { 'content-length': 1000 }).write('{"items": [', () => request.socket.destroy());
    } else if (typeof fault === 'object') send(fault.status, { message: 'on purpose' }, fault.headers);
    else if (kind === 'group') send(200, { versions: [{ version: 'v1' }] });
    else if (kind === 'approve') approve(body, fault, send, () => request.socket.destroy());
    else if (kind === 'review') send(201, { status: { allowed: fake.mayApprove } });
    else if (kind === 'other') send(404, { message: 'not found' });
    else if (kind === 'lease') keepLease(method, body, send);
    else if (kind === 'tokens') listTokens(request, new URL(path, fake.url).searchParams, send);
    else if (kind === 'delete token') {
      deleteToken(path.split('bootstrap-token-')[1] ?? '', body, fault, send, () => request.socket.destroy());
    } else if (kind === 'watch') watch(new URL(path, fake.url).searchParams, fault, response);
    else list(new URL(path, fake.url).searchParams, send);
  }

  /** One that has changed meanwhile is not replaced. */
  function keepLease(method: string, body: string, send: (status: number, value: unknown) => void): void {
    const put = body === '' ? undefined : (JSON.parse(body) as NonNullable<typeof lease>);
    const versionOf = (one: typeof lease): unknown => (one?.metadata as { resourceVersion?: string }).resourceVersion;
    if (put === undefined) send(lease === undefined ? 404 : 200, lease ?? { message: 'not found' });
    else if (method === 'POST' ? lease !== undefined : versionOf(put) !== versionOf(lease)) send(409, {});
    else {
      version += 1;
      lease = { ...put, metadata: { ...put.metadata, resourceVersion: String(version) } };
      send(200, lease);
    }
  }

  function listTokens(
    { headers }: IncomingMessage,
    query: URLSearchParams,
    send: (status: number, value: unknown) => void,
  ): void {
    const isMetadata = headers.accept === 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const isOfTokens = query.get('fieldSelector') === 'type=bootstrap.kubernetes.io/token';
    if (!isMetadata || !isOfTokens) {
      send(406, { message: 'only metadata of bootstrap tokens is to be asked for' });
      return;
    }
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit'));
    const items = [...secrets].slice(from, to).map(([id, metadata]) => ({
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system', ...metadata },
    }));
    const metadata = to < secrets.size ? { continue: String(to) } : {};
    send(200, {
      apiVersion: 'meta.k8s.io/v1',
      kind: 'PartialObjectMetadataList',
      metadata,
      items: items.length === 0 ? null : items,
    });
  }

  function deleteToken(
    id: string,
    body: string,
    fault: Fault | undefined,
    send: (status: number, value: unknown) => void,
    reset: () => void,
  ): void {
    const { preconditions } = JSON.parse(body) as { preconditions: { uid: string } };
    const secret = secrets.get(id);
    if (secret !== undefined && fault === 'changed') secrets.set(id, { ...secret, uid: 'another' });
    if (secrets.get(id) === undefined) send(404, { message: 'not found' });
    else if (secrets.get(id)?.uid !== preconditions.uid) send(409, { message: 'Precondition failed: UID' });
    else {
      secrets.delete(id);
      if (fault === 'late reset') reset();
      else send(200, { kind: 'Status', status: 'Success' });
    }
  }

  function watch(query: URLSearchParams, fault: Fault | undefined, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const line = (type: string, object: object): void => void response.write(`${JSON.stringify({ type, object })}\n`);
    if (fault === 'over at once') response.end();
    if (fault === 'expired') line('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' });
    if (fault === 'broken line') response.write('{"type": "MODIFIED", "obj\n');
    if (fault === 'mute' || fault === 'over at once') return;
    const from = Number(query.get('resourceVersion'));
    const forgotten = changes.slice(0, Math.max(0, changes.length - fake.keeps));
    if (forgotten.some(({ version }) => version > from)) {
      line('ERROR', { code: 410, reason: 'Expired', message: 'too old resource version' });
      response.end();
      return;
    }
    const tell = ({ type, object }: Change): void => line(type, object);
    for (const change of changes) if (change.version > from) tell(change);
    watchers.add(tell);
    const end = setTimeout(() => response.end(), Number(query.get('timeoutSeconds')) * 1000);
    response.on('close', () => {
      watchers.delete(tell);
      clearTimeout(end);
    });
  }

  function list(query: URLSearchParams, send: (status: number, value: unknown) => void): void {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit'));
    const metadata = { resourceVersion: String(version), ...(to < stored.size && { continue: String(to) }) };
    const items = [...stored.values()].slice(from, to);
    send(200, { apiVersion: types.apiVersion, kind: `${types.kind}List`, metadata, items });
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
    if (object !== undefined && fault === 'gone') store(name, undefined);
    if (object === undefined || fault === 'gone') {
      send(404, { message: 'not found' });
      return;
    }
    if (fault === 'changed') store(name, object);
    if (fault === 'changed' || object.metadata.resourceVersion !== resourceVersion) {
      send(409, { message: 'the object has been modified' });
      return;
    }
    store(name, put);
    if (fault === 'late reset') reset();
    else send(200, stored.get(name));
    const isApproved = put.status.conditions?.some(({ type }) => type === 'Approved') === true;
    if (fake.signs && isApproved) setImmediate(() => sign(name));
  }

  function sign(name: string): void {
    const object = stored.get(name);
    if (object === undefined) return;
    const issued = issue(requestedIn(Buffer.from(object.spec.request, 'base64').toString()), keys);
    store(name, { ...object, status: { ...object.status, certificate: Buffer.from(issued).toString('base64') } });
  }

  return fake;
}

function kindOf(method: string, path: string): string {
  if (path.includes('/leases')) return 'lease';
  if (path.includes('/secrets')) return method === 'DELETE' ? 'delete token' : 'tokens';
  if (path.endsWith('/selfsubjectaccessreviews')) return 'review';
  if (method === 'PUT') return 'approve';
  if (path === '/apis/certificates.k8s.io') return 'group';
  if (path.includes('watch=')) return 'watch';
  if (!path.includes('/certificatesigningrequests')) return 'other';
  return path.includes('continue=') ? 'list again' : 'list';
}
