import * as z from 'zod';
import { SourceTrouble } from '../source-trouble.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
const leaseShape = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.int().nullish(),
      acquireTime: z.string().nullish(),
      renewTime: z.string().nullish(),
      leaseTransitions: z.int().nullish(),
    })
    .default({}),
});

/** As it came: its resourceVersion goes back with it. */
export type Lease = z.infer<typeof leaseShape>;
export type LeaseSpec = Lease['spec'];

/** One Lease of a cluster; 1.14 has it in v1 already. */
export class LeaseApi {
  readonly #api: KubernetesApi;
  readonly #name: string;
  readonly #path: string;

  constructor(api: KubernetesApi, { namespace, name }: { readonly namespace: string; readonly name: string }) {
    this.#api = api;
    this.#name = name;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  }

  /** @returns undefined where there is none; @throws as KubernetesApi.call */
  async read(): Promise<Lease | undefined> {
    const { status, body } = await this.#api.call('GET', `${this.#path}/${this.#name}`);
    if (status === 404) return undefined;
    const lease = leaseShape.safeParse(body);
    if (!lease.success) throw new SourceTrouble('it answers with something else than a Lease', { again: true });
    return lease.data;
  }

  /** @returns false where there is one already; @throws as KubernetesApi.call */
  async create(spec: LeaseSpec): Promise<boolean> {
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: this.#name }, spec };
    const { status } = await this.#api.call('POST', this.#path, lease);
    return status < 300;
  }

  /** @returns false where somebody else has changed it since; @throws as KubernetesApi.call */
  async replace(lease: Lease, spec: LeaseSpec): Promise<boolean> {
    const { status } = await this.#api.call('PUT', `${this.#path}/${this.#name}`, { ...lease, spec });
    return status < 300;
  }
}
