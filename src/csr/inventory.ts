import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.ts';
import { canonical } from '../description/rules/addresses.ts';
import { plannedIdentity } from '../cluster/planned-identity.ts';
import { planOf, type Plan, type TokenIdOf } from './plan.ts';

/** All that approving takes of a cluster. */
export interface Inventory {
  readonly plan: Plan;
  /** PEM: who signs the certificates. */
  readonly authority: string;
}

const nodeShape = z.strictObject({
  name: z.string().min(1),
  address: z.union([z.ipv4(), z.ipv6()]),
  tokenId: z
    .string()
    .regex(/^[a-z0-9]{6}$/)
    .optional(),
});

const shape = z.strictObject({
  approval: z.literal('plan').optional(),
  certificateAuthority: z.string().includes('-----BEGIN CERTIFICATE-----'),
  nodes: z.array(nodeShape).min(1),
});

/** @param tokenIdOf where the description says `approval: plan` */
export function inventoryOf(cluster: Cluster, tokenIdOf?: TokenIdOf): Inventory {
  return { plan: planOf(cluster, tokenIdOf), authority: cluster.controlPlane.certificateAuthority };
}

/** As a file, for where the description and all that it names are not; what is undefined JSON leaves out. */
export function formatInventory(
  { controlPlane: { certificateAuthority }, nodes }: Cluster,
  tokenIdOf?: TokenIdOf,
): string {
  const planned = nodes.map(plannedIdentity);
  const inventory: z.infer<typeof shape> = {
    approval: tokenIdOf && 'plan',
    certificateAuthority,
    nodes: planned.map(({ name, address }) => ({ name, address, tokenId: tokenIdOf?.(name) })),
  };
  return `${JSON.stringify(inventory)}\n`;
}

/** @returns undefined where the text is no inventory, or names, addresses or tokens in it are of two nodes */
export function parseInventory(text: string): Inventory | undefined {
  const parsed = shape.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const { approval, certificateAuthority, nodes: written } = parsed.data;
  const nodes = written.map(({ name, address }) => ({ name, address: canonical(address) }));
  const ids = new Map(written.flatMap(({ name, tokenId }) => (tokenId === undefined ? [] : [[name, tokenId]])));
  const isOnce = (values: readonly string[]): boolean => new Set(values).size === values.length;
  if (!isOnce(nodes.map(({ name }) => name)) || !isOnce(nodes.map(({ address }) => address))) return undefined;
  if (!isOnce([...ids.values()]) || (approval === undefined && ids.size > 0)) return undefined;
  const tokenIdOf = (node: string): string | undefined => ids.get(node);
  return { plan: planOf({ nodes }, approval && tokenIdOf), authority: certificateAuthority };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
