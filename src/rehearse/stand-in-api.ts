import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { nodesGroup, type PlannedIdentity } from '../cluster/planned-identity.ts';
import type { CsrObject } from '../csr/csr-object.ts';
import { judgeCsr, type Verdict } from '../csr/judge-csr.ts';
import { planOf, tokenUsers, useOf, type Use } from '../csr/plan.ts';
import { parseRequest } from '../csr/parse-request.ts';
import { bootstrapGroup, bootstrappersGroup } from '../tokens/bootstrap-group.ts';
import type { Token } from '../tokens/token.ts';
import type { Authority } from './authority.ts';
import { readObject } from './read-object.ts';

/** One thing that somebody on the node asked for. */
export interface Asked {
  /** By performance.now(). */
  readonly at: number;
  /** The user that the apiserver would see; undefined for whoever it would not let in. */
  readonly user: string | undefined;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  /** What it posted, by its name. */
  readonly name?: string;
  /** Of a certificate signing request. */
  readonly request?: { readonly use: Use; readonly verdict: Verdict };
}

/** An apiserver as far as a node needs one to join. It approves and issues what would be approved and issued for this node. */
export interface StandInApi {
  readonly server: Server;
  /** In their order. */
  readonly asked: readonly Asked[];
}

/** What one answer is made of. */
interface Answer {
  readonly status: number;
  /** As it came, or what becomes JSON. */
  readonly body: object | Body;
  readonly told?: Pick<Asked, 'name' | 'request'>;
}

/**
 * @param host where kube-nginx listens, which is whom kubelet believes to speak with
 * @param token the one that lets in
 */
export function standInApi(
  {
    identity,
    authority,
    token,
    host,
  }: {
    readonly identity: PlannedIdentity;
    readonly authority: Authority;
    readonly token: Token;
    readonly host: string;
  },
  now: () => Date,
): StandInApi {
  const plan = planOf({ nodes: [identity] }, () => token.id);
  const asked: Asked[] = [];
  const requests = new Map<string, object>();
  const objects = new Map<string, Body>();
  // Who has no certificate may have a token.
  const server = createServer(
    { ...authority.serve([host]), ca: authority.certificate, requestCert: true, rejectUnauthorized: false },
    // Where the node has gone in the middle of a request, nobody waits for the answer.
    (request, response) => void handle(request, response).catch(() => response.destroy()),
  );

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '', 'https://stand-in');
    const user = userOf(request);
    const body = { type: headers['content-type'] ?? '', bytes: await buffer(request) };
    const { status, body: sent, told } = answerOf(user, method, url, body);
    asked.push({ at: performance.now(), user, method, path: url.pathname, status, ...told });
    // Whoever watches is told nothing more.
    if (url.searchParams.get('watch') !== null && status === 200) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return;
    }
    const { type, bytes } = 'bytes' in sent ? sent : asJson(sent);
    response.writeHead(status, { 'content-type': type }).end(bytes);
  }

  function userOf({ headers, socket }: IncomingMessage): string | undefined {
    if (headers.authorization === `Bearer ${token.id}.${token.secret}`) return `${tokenUsers}${token.id}`;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    return String(socket.getPeerCertificate().subject.CN);
  }

  function answerOf(user: string | undefined, method: string, url: URL, body: Body): Answer {
    try {
      return answer(user, method, url, body);
    } catch {
      return refusal(400, 'BadRequest');
    }
  }

  function answer(user: string | undefined, method: string, { pathname, searchParams }: URL, body: Body): Answer {
    if (user === undefined) return refusal(401, 'Unauthorized');
    const [, group = '', namespace = '', rest = ''] = resourcePath.exec(pathname) ?? [];
    if (rest === 'certificatesigningrequests') {
      if (method === 'POST') return sign(user, group, body);
      const name = /^metadata\.name=(.*)$/.exec(searchParams.get('fieldSelector') ?? '')?.[1];
      return list([...requests].filter(([key]) => name === undefined || key === name).map(([, value]) => value));
    }
    if (user !== identity.user) return refusal(403, 'Forbidden');
    const place = `${group}/${namespace}${rest}`;
    if (method === 'POST') return keep(place, body);
    if (!rest.includes('/')) return list([]);
    const kept = objects.get(place.replace(/\/status$/, ''));
    return kept === undefined ? refusal(404, 'NotFound') : { status: 200, body: kept };
  }

  function sign(user: string, group: string, body: Body): Answer {
    const { name: given, spec } = readObject(body.bytes);
    const name = given === '' ? `csr-${requests.size + 1}` : given;
    const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp: now().toISOString() };
    const own = user === identity.user ? [nodesGroup] : [bootstrappersGroup, bootstrapGroup(identity.name)];
    const groups = [...own, 'system:authenticated'];
    const object = {
      apiVersion: group.replace('apis/', '') as CsrObject['apiVersion'],
      kind: 'CertificateSigningRequest' as const,
      metadata,
      spec: { request: '', ...spec, usages: [...(spec.usages ?? [])], username: user, groups },
    };
    const use = useOf(spec.signerName) ?? 'serving';
    const verdict = judgeCsr(object, plan);
    const stored = verdict.kind === 'approve' ? { ...object, status: issued(object, use) } : { ...object, status: {} };
    requests.set(name, stored);
    return { status: 201, body: stored, told: { name, request: { use, verdict } } };
  }

  /** The status of a request that was judged well: its subject and names are the planned ones. */
  function issued({ spec }: CsrObject, use: Use): object {
    const parsed = parseRequest(spec.request);
    if (parsed.kind === 'refused') throw new Error('a request was approved that cannot be read');
    const certificate = authority.issue({
      organization: nodesGroup,
      commonName: identity.user,
      key: parsed.request.key.bytes,
      names: parsed.request.names.map(({ text }) => text),
      use: use === 'client' ? 'client' : 'server',
    });
    return {
      conditions: [{ type: 'Approved', status: 'True' }],
      certificate: Buffer.from(certificate).toString('base64'),
    };
  }

  function keep(place: string, body: Body): Answer {
    const { name } = readObject(body.bytes);
    objects.set(`${place}/${name}`, body);
    return { status: 201, body, told: { name } };
  }

  return { server, asked };
}

/** With its content type. */
interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Group with version, namespace, and the resource with what follows. */
const resourcePath = /^\/(api\/v1|apis\/[^/]+\/[^/]+)\/(namespaces\/[^/]+\/)?(.+)$/;

function refusal(code: number, reason: string): Answer {
  return { status: code, body: { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason, code, message: reason } };
}

/** Without a kind: it is of the one that was asked for. */
function list(items: readonly object[]): Answer {
  return { status: 200, body: { metadata: { resourceVersion: '1' }, items } };
}

function asJson(value: object): Body {
  return { type: 'application/json', bytes: Buffer.from(JSON.stringify(value)) };
}
