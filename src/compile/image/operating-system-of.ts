import { findOperatingSystem, type OperatingSystem } from '../../catalog/operating-systems.ts';
import type { Cluster } from '../../cluster/cluster.ts';

/** @throws when the catalog has no such system, which the rules have ruled out */
export function operatingSystemOf(cluster: Cluster): OperatingSystem {
  const system = findOperatingSystem(cluster.image.os);
  if (system === undefined) throw new Error(`no operating system ${cluster.image.os}`);
  return system;
}
