import * as z from 'zod';
import { csrItems } from '../../csr/csr-items.ts';
import { Failure } from '../../diagnostics/failure.ts';
import { SourceTrouble } from '../source-trouble.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

const GROUP = '/apis/certificates.k8s.io';
const PAGE = 500;

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
  async *list(signerName: string): AsyncIterable<unknown> {
    const query = new URLSearchParams({ limit: String(PAGE), fieldSelector: `spec.signerName=${signerName}` });
    for (;;) {
      const { status, body } = await this.#api.call('GET', `${this.#path}?${query.toString()}`);
      const items = status < 300 ? csrItems(body) : undefined;
      if (items === undefined) throw new SourceTrouble(`it does not list them (HTTP ${status})`, { again: true });
      yield* items;
      const more = z.object({ metadata: z.object({ continue: z.string().min(1) }) }).safeParse(body);
      if (!more.success) return;
      query.set('continue', more.data.metadata.continue);
    }
  }

  /**
   * Approves by replacing the object, which holds only as long as it is as it was read: its resourceVersion says so.
   * @param approved the object with its new condition
   * @returns false where it has changed since, or is gone
   * @throws as KubernetesApi.call
   */
  async approve(name: string, approved: object): Promise<boolean> {
    const { status } = await this.#api.call('PUT', `${this.#path}/${encodeURIComponent(name)}/approval`, approved);
    return status < 300;
  }
}
