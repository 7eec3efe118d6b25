import * as z from 'zod';
import type { Cluster } from '../cluster/cluster.ts';
import { canonical } from '../description/rules/addresses.ts';
import { plannedIdentity, planOf, type Plan } from '../cluster/planned-identity.ts';

/** All that approving takes of a cluster. */
export interface Inventory {
  readonly plan: Plan;
  /** PEM: who signs the certificates. */
  readonly authority: string;
}

const shape = z.strictObject({
  certificateAuthority: z.string().includes('-----BEGIN CERTIFICATE-----'),
  nodes: z.array(z.strictObject({ name: z.string().min(1), address: z.union([z.ipv4(), z.ipv6()]) })).min(1),
});

export function inventoryOf(cluster: Cluster): Inventory {
  return { plan: planOf(cluster), authority: cluster.controlPlane.certificateAuthority };
}

/** As a file, for where the description and all that it names are not. */
export function formatInventory({ controlPlane: { certificateAuthority }, nodes }: Cluster): string {
  const planned = nodes.map(plannedIdentity).map(({ name, address }) => ({ name, address }));
  const inventory: z.infer<typeof shape> = { certificateAuthority, nodes: planned };
  return `${JSON.stringify(inventory)}\n`;
}

/** @returns undefined where the text is no inventory, or names or addresses in it are of two nodes */
export function parseInventory(text: string): Inventory | undefined {
  const parsed = shape.safeParse(jsonOf(text));
  if (!parsed.success) return undefined;
  const { certificateAuthority, nodes: written } = parsed.data;
  const nodes = written.map(({ name, address }) => ({ name, address: canonical(address) }));
  const isOnce = (values: readonly string[]): boolean => new Set(values).size === values.length;
  if (!isOnce(nodes.map(({ name }) => name)) || !isOnce(nodes.map(({ address }) => address))) return undefined;
  return { plan: planOf({ nodes }), authority: certificateAuthority };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
