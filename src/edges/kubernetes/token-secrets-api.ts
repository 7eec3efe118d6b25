import * as z from 'zod';
import { SourceTrouble } from '../source-trouble.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

const PATH = '/api/v1/namespaces/kube-system/secrets';
const PREFIX = 'bootstrap-token-';
/** As kubectl asks for them. */
const PAGE = 500;

const pageShape = z.object({
  kind: z.literal('PartialObjectMetadataList'),
  metadata: z.object({ continue: z.string().optional() }),
  // Null where there are none.
  items: z
    .array(
      z.object({
        metadata: z.object({ name: z.string(), uid: z.string().min(1), creationTimestamp: z.iso.datetime() }),
      }),
    )
    .nullable(),
});

/** The Secret of a bootstrap token, without what is in it. */
export interface TokenSecret {
  readonly uid: string;
  /** RFC 3339, whole seconds. */
  readonly created: string;
}

/**
 * The bootstrap tokens of a cluster. Their metadata is all that is asked for; of that, what kubectl has applied (an
 * annotation holds it, with the token) is not kept.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
 */
export class TokenSecretsApi {
  readonly #api: KubernetesApi;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** @returns all of them, by the token's id; @throws as KubernetesApi.call */
  async list(): Promise<Map<string, TokenSecret>> {
    const query = new URLSearchParams({
      fieldSelector: 'type=bootstrap.kubernetes.io/token',
      limit: String(PAGE),
    });
    const found = new Map<string, TokenSecret>();
    for (;;) {
      const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
      const { status, body } = await this.#api.call('GET', `${PATH}?${query.toString()}`, undefined, accept);
      const page = pageShape.safeParse(body);
      if (!page.success) {
        throw new SourceTrouble(`it does not list the bootstrap tokens (HTTP ${status})`, { again: true });
      }
      for (const { metadata } of page.data.items ?? []) {
        // The token authenticator looks for a token by this name, so no other can be one.
        if (!metadata.name.startsWith(PREFIX)) continue;
        found.set(metadata.name.slice(PREFIX.length), { uid: metadata.uid, created: metadata.creationTimestamp });
      }
      if ((page.data.metadata.continue ?? '') === '') return found;
      query.set('continue', page.data.metadata.continue ?? '');
    }
  }

  /**
   * Deletes the token, if it is still the one that was listed.
   * @returns whether it is gone now; false where there is another one of this id
   * @throws as KubernetesApi.call
   */
  async delete(id: string, { uid }: TokenSecret): Promise<boolean> {
    const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    const { status } = await this.#api.call('DELETE', `${PATH}/${PREFIX}${id}`, options);
    return status < 300 || status === 404;
  }
}
