import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pMap from 'p-map';
import { Agent, request } from 'undici';
import type { ApiServer } from '../support/apiserver.ts';
import { derOf, goodParts, pemOf, servingParts } from '../support/make-csr.ts';

/** A node that asks for its serving certificate. */
export interface Asking {
  readonly node: string;
  readonly address: string;
  /** Of its request. */
  readonly name: string;
}

interface Csr {
  readonly metadata: { readonly name: string };
  readonly status: { readonly certificate?: string; readonly conditions?: readonly { readonly type: string }[] };
}

/** When a request was seen in a state, as performance.now() has it. */
export interface Seen {
  readonly approved: ReadonlyMap<string, number>;
  readonly issued: ReadonlyMap<string, number>;
  readonly end: () => void;
}

/** The requests of many nodes in one cluster. */
export class PendingRequests {
  readonly #api: ApiServer;
  readonly #version: string;
  /** Made once: that takes a while, too. */
  readonly #made = new Map<string, object>();

  /** @param version of certificates.k8s.io */
  constructor(api: ApiServer, version: string) {
    this.#api = api;
    this.#version = version;
  }

  get #path(): string {
    return `/apis/certificates.k8s.io/${this.#version}/certificatesigningrequests`;
  }

  /** Those of these nodes wait, and no others are there. */
  async become(all: readonly Asking[]): Promise<void> {
    await this.#api.call('DELETE', this.#path);
    const post = ({ node, address, name }: Asking): Promise<unknown> => {
      const asked = this.#made.get(name) ?? this.#make(node, address, name);
      this.#made.set(name, asked);
      const as = { user: `system:node:${node}`, groups: ['system:nodes', 'system:authenticated'] };
      return this.#api.call('POST', this.#path, asked, as);
    };
    await pMap(all, post, { concurrency: 16 });
  }

  #make(node: string, address: string, name: string): object {
    const der = derOf({
      ...goodParts(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      ...servingParts(node, address.split('.').map(Number)),
    });
    return {
      apiVersion: `certificates.k8s.io/${this.#version}`,
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: Buffer.from(pemOf(der)).toString('base64'),
        signerName: 'kubernetes.io/kubelet-serving',
        usages: ['digital signature', 'key encipherment', 'server auth'],
      },
    };
  }

  /** Watches what becomes of those that are there now. */
  async watch(): Promise<Seen> {
    const { metadata } = (await this.#api.call('GET', `${this.#path}?limit=1`)) as {
      metadata: { resourceVersion: string };
    };
    const { server, kubeconfig, identities } = this.#api;
    const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: [{ user: { token: string } }] };
    const dispatcher = new Agent({ connect: { ca: readFileSync(join(identities, 'ca.pem')) }, bodyTimeout: 0 });
    const { body } = await request(`${server}${this.#path}?watch=true&resourceVersion=${metadata.resourceVersion}`, {
      dispatcher,
      headers: { authorization: `Bearer ${users[0].user.token}` },
    });
    const approved = new Map<string, number>();
    const issued = new Map<string, number>();
    const note = (seen: Map<string, number>, name: string): void => {
      if (!seen.has(name)) seen.set(name, performance.now());
    };
    // Its end is no news.
    const input = body.on('error', () => undefined);
    const lines = createInterface({ input }).on('error', () => undefined);
    lines.on('line', (line) => {
      const { object } = JSON.parse(line) as { object: Csr };
      const { name } = object.metadata;
      if (object.status.conditions?.some(({ type }) => type === 'Approved') === true) note(approved, name);
      if (object.status.certificate !== undefined) note(issued, name);
    });
    return {
      approved,
      issued,
      end: () => {
        body.destroy();
        void dispatcher.destroy();
      },
    };
  }
}

/** What has come to an apiserver from a client since. */
export interface Requests {
  readonly all: number;
  /** Pages of lists. */
  readonly lists: number;
  readonly approvals: number;
}

/** For kube-apiserver: it notes each request when it is done. */
export const auditPolicy = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }],
});

interface AuditEvent {
  readonly userAgent?: string;
  readonly verb: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
}

/** @param from how long the log was before @param clients of which some is the beginning of a user agent */
export function readRequests(log: string, from: number, clients: readonly string[]): Requests {
  const events = readFileSync(log)
    .subarray(from)
    .toString()
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ userAgent = '' }) => clients.some((client) => userAgent.startsWith(client)));
  return {
    all: events.length,
    lists: events.filter(({ verb }) => verb === 'list').length,
    approvals: events.filter(({ verb, objectRef }) => verb === 'update' && objectRef?.subresource === 'approval')
      .length,
  };
}
