import * as z from 'zod';
import { csrItems } from '../../csr/csr-items.ts';
import { Failure } from '../../diagnostics/failure.ts';
import { SourceTrouble } from '../source-trouble.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

const GROUP = '/apis/certificates.k8s.io';
/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/ */
const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' };
/** kubectl's 500 could be a gigabyte of requests that somebody has padded: etcd takes 1.5 MiB of each, and JSON makes it 2. */
const PAGE = 50;

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
  /** In characters, as they came. */
  readonly size: number;
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

/** The certificate signing requests for some signers, in the newest version of their API that bake and the cluster know. */
export class CsrApi {
  readonly #api: KubernetesApi;
  readonly #path: string;
  readonly #signers: readonly string[];

  private constructor(api: KubernetesApi, version: string, signers: readonly string[]) {
    this.#api = api;
    this.#path = `${GROUP}/${version}/certificatesigningrequests`;
    this.#signers = signers;
  }

  /**
   * v1 came with 1.19, and v1beta1 went with 1.22.
   * @throws Failure `cluster-refuses` where it knows neither; or as KubernetesApi.call
   */
  static async open(api: KubernetesApi, signers: readonly string[]): Promise<CsrApi> {
    const { body } = await api.call('GET', GROUP);
    const group = z.object({ versions: z.array(z.object({ version: z.string() })) }).safeParse(body);
    const served = group.data?.versions.map(({ version }) => version) ?? [];
    const version = ['v1', 'v1beta1'].find((known) => served.includes(known));
    if (version !== undefined) return new CsrApi(api, version, signers);
    throw new Failure(
      'cluster-refuses',
      'the cluster has no certificates.k8s.io/v1 or v1beta1; is this its apiserver?',
    );
  }

  /**
   * All requests, page by page.
   * @throws as KubernetesApi.call; also SourceTrouble where a list has become too old to go on with
   */
  async *list(): AsyncIterable<CsrPage> {
    const query = new URLSearchParams({ limit: String(PAGE), ...this.#selector });
    for (;;) {
      const { status, body } = await this.#api.call('GET', `${this.#path}?${query.toString()}`);
      const values = status < 300 ? csrItems(body) : undefined;
      const page = versioned.safeParse(body);
      if (values === undefined || !page.success) {
        throw new SourceTrouble(`it does not list them (HTTP ${status})`, { again: true });
      }
      yield { values: values.filter((value) => this.#isOurs(value)), version: page.data.metadata.resourceVersion };
      const more = z.object({ metadata: z.object({ continue: z.string().min(1) }) }).safeParse(body);
      if (!more.success) return;
      query.set('continue', more.data.metadata.continue);
    }
  }

  /**
   * What happens to the requests after `version`, until the apiserver or `signal` ends it; nothing at first,
   * once it has begun.
   * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
   * @param lengthMs after which the apiserver is to end it; one that is silent for longer is given up
   * @throws as KubernetesApi.lines; SourceTrouble with `missing` where only a new list helps
   */
  async *watch(
    version: string,
    { lengthMs, signal }: { readonly lengthMs: number; readonly signal: AbortSignal },
  ): AsyncIterable<CsrEvents> {
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      ...this.#selector,
      resourceVersion: version,
      timeoutSeconds: String(Math.ceil(lengthMs / 1000)),
    });
    let last = version;
    for await (const lines of this.#api.lines(`${this.#path}?${query.toString()}`, { lengthMs, signal })) {
      const events = lines.map(readEvent);
      last = events.at(-1)?.object.metadata.resourceVersion ?? last;
      const changes = events
        .filter(({ type, object }) => type !== 'BOOKMARK' && this.#isOurs(object))
        .map(({ type, object }) => ({ value: object, gone: type === 'DELETED' }));
      yield { changes, version: last, size: lines.reduce((sum, line) => sum + line.length, 0) };
    }
  }

  /** No selector says "one of these": where there are two, the requests for others come along, and go no further. */
  get #selector(): { readonly fieldSelector?: string } {
    const [signer, ...more] = this.#signers;
    return signer === undefined || more.length > 0 ? {} : { fieldSelector: `spec.signerName=${signer}` };
  }

  #isOurs(value: unknown): boolean {
    if (this.#signers.length === 1) return true;
    const { spec } = value as { readonly spec?: { readonly signerName?: string } };
    return this.#signers.includes(spec?.signerName ?? '');
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

  /**
   * Whether the login may approve for all its signers, as the cluster's authorizers say: a refusal may also be of one request
   * only, by an admission plugin. Everybody may ask that.
   * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#authorization
   * @throws as KubernetesApi.call
   */
  async mayApprove(): Promise<boolean> {
    const approval = { resource: 'certificatesigningrequests', subresource: 'approval', verb: 'update' };
    if (!(await this.#may(approval))) return false;
    for (const signer of this.#signers) {
      const [domain = ''] = signer.split('/');
      const approve = { resource: 'signers', verb: 'approve' };
      const isNamed = await this.#may({ ...approve, name: signer });
      if (!isNamed && !(await this.#may({ ...approve, name: `${domain}/*` }))) return false;
    }
    return true;
  }

  async #may(asked: object): Promise<boolean> {
    const spec = { resourceAttributes: { group: 'certificates.k8s.io', ...asked } };
    const { body } = await this.#api.call('POST', REVIEWS, { ...review, spec });
    return z.object({ status: z.object({ allowed: z.literal(true) }) }).safeParse(body).success;
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
