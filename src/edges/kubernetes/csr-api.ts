import * as z from 'zod';
import { csrItems } from '../../csr/csr-items.ts';
import { Failure } from '../../diagnostics/failure.ts';
import { SourceTrouble } from '../source-trouble.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

const GROUP = '/apis/certificates.k8s.io';
/** kubectl's 500 could be 500 MB of requests that somebody has padded. */
const PAGE = 100;

/** Part of a list. */
export interface CsrPage {
  readonly values: readonly unknown[];
  /** What the whole list shows the cluster at, for a watch to go on from. */
  readonly version: string;
}

/** What has happened since, as far as it came together. */
export interface CsrEvents {
  /** In their order; `gone` for what was removed. */
  readonly changes: readonly { readonly value: unknown; readonly gone: boolean }[];
  readonly version: string;
}

/** With all that it has besides. */
const versioned = z.looseObject({ metadata: z.looseObject({ resourceVersion: z.string().min(1) }) });
const eventShape = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']), object: versioned }),
  // A Status.
  z.object({
    type: z.literal('ERROR'),
    object: z.object({ code: z.int().optional(), message: z.string().optional() }),
  }),
]);

/** The certificate signing requests of a cluster, in the newest version of their API that bake and the cluster know. */
export class CsrApi {
  readonly #api: KubernetesApi;
  readonly #path: string;

  private constructor(api: KubernetesApi, version: string) {
    this.#api = api;
    this.#path = `${GROUP}/${version}/certificatesigningrequests`;
  }

  /**
   * v1 came with 1.19, and v1beta1 went with 1.22.
   * @throws Failure `cluster-refuses` where it knows neither; or as KubernetesApi.call
   */
  static async open(api: KubernetesApi): Promise<CsrApi> {
    const { body } = await api.call('GET', GROUP);
    const group = z.object({ versions: z.array(z.object({ version: z.string() })) }).safeParse(body);
    const served = group.data?.versions.map(({ version }) => version) ?? [];
    const version = ['v1', 'v1beta1'].find((known) => served.includes(known));
    if (version !== undefined) return new CsrApi(api, version);
    throw new Failure(
      'cluster-refuses',
      'the cluster has no certificates.k8s.io/v1 or v1beta1; is this its apiserver?',
    );
  }

  /**
   * All requests for one signer, page by page.
   * @throws as KubernetesApi.call; also SourceTrouble where a list has become too old to go on with
   */
  async *list(signerName: string): AsyncIterable<CsrPage> {
    const query = new URLSearchParams({ limit: String(PAGE), fieldSelector: `spec.signerName=${signerName}` });
    for (;;) {
      const { status, body } = await this.#api.call('GET', `${this.#path}?${query.toString()}`);
      const values = status < 300 ? csrItems(body) : undefined;
      const page = versioned.safeParse(body);
      if (values === undefined || !page.success) {
        throw new SourceTrouble(`it does not list them (HTTP ${status})`, { again: true });
      }
      yield { values, version: page.data.metadata.resourceVersion };
      const more = z.object({ metadata: z.object({ continue: z.string().min(1) }) }).safeParse(body);
      if (!more.success) return;
      query.set('continue', more.data.metadata.continue);
    }
  }

  /**
   * What happens to the requests for one signer after `version`, until the apiserver or `signal` ends it; nothing at first,
   * once it has begun.
   * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
   * @param lengthMs after which the apiserver is to end it; one that is silent for longer is given up
   * @throws as KubernetesApi.lines; SourceTrouble with `missing` where only a new list helps
   */
  async *watch(
    signerName: string,
    version: string,
    { lengthMs, signal }: { readonly lengthMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<CsrEvents> {
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      fieldSelector: `spec.signerName=${signerName}`,
      resourceVersion: version,
      timeoutSeconds: String(Math.ceil(lengthMs / 1000)),
    });
    let last = version;
    for await (const lines of this.#api.lines(`${this.#path}?${query.toString()}`, { lengthMs, signal })) {
      const events = lines.map(readEvent);
      last = events.at(-1)?.object.metadata.resourceVersion ?? last;
      const changes = events
        .filter(({ type }) => type !== 'BOOKMARK')
        .map(({ type, object }) => ({ value: object, gone: type === 'DELETED' }));
      yield { changes, version: last };
    }
  }

  /**
   * Decides by replacing the object, which holds only as long as it is as it was read: its resourceVersion says so.
   * @param decided the object with its new condition
   * @returns false where it has changed since, or is gone
   * @throws as KubernetesApi.call
   */
  async decide(name: string, decided: object): Promise<boolean> {
    const { status } = await this.#api.call('PUT', `${this.#path}/${encodeURIComponent(name)}/approval`, decided);
    return status < 300;
  }
}

/** @throws SourceTrouble */
function readEvent(line: string) {
  const event = eventShape.safeParse(jsonOf(line));
  if (!event.success) throw new SourceTrouble('a line of its watch cannot be read', { again: true });
  if (event.data.type !== 'ERROR') return event.data;
  const { code, message = 'no reason given' } = event.data.object;
  throw new SourceTrouble(`it ends the watch (${code ?? 'no code'}): ${message}`, { again: true, missing: true });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
