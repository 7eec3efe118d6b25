import assert from 'node:assert/strict';
import { apiServerAddresses } from './control-plane.ts';
import type { RealCluster } from './real-cluster.ts';

/** What can become of the apiserver at an address, as its nodes see it. */
export interface Fault {
  begin(cluster: RealCluster, address: string): Promise<void> | void;
  end(cluster: RealCluster, address: string): Promise<void> | void;
}

export const faults = {
  killed: {
    begin: ({ controlPlane }, address) => controlPlane.signal(address, 'SIGKILL'),
    end: ({ controlPlane }, address) => controlPlane.restart(address),
  },
  // What nodes and it send each other is dropped.
  blackholed: {
    begin: (cluster, address) => changeRules(cluster, '-A', address),
    end: (cluster, address) => changeRules(cluster, '-D', address),
  },
  // Its kernel still accepts.
  frozen: {
    begin: ({ controlPlane }, address) => controlPlane.signal(address, 'SIGSTOP'),
    end: ({ controlPlane }, address) => controlPlane.signal(address, 'SIGCONT'),
  },
} satisfies Record<string, Fault>;

/**
 * The apiservers that a test may have fail. Not the first one: kube-controller-manager and kubectl call it, and without them
 * nobody would say that a node is gone.
 */
export const fallible: readonly string[] = apiServerAddresses.slice(1);

async function changeRules(cluster: RealCluster, change: '-A' | '-D', address: string): Promise<void> {
  const rules = [`INPUT -i nodes -d ${address}`, `OUTPUT -o nodes -s ${address}`];
  const commands = rules.map((rule) => `iptables ${change} ${rule} -j DROP`);
  const { exitCode, all } = await cluster.run(['sh', '-c', commands.join(' && ')]);
  assert.equal(exitCode, 0, all);
}

/** Begins a fault of some apiservers, and ends it once some work is done, which is told since when it lasts. */
export async function during<T>(
  fault: Fault,
  cluster: RealCluster,
  addresses: readonly string[],
  work: (since: number) => Promise<T>,
): Promise<T> {
  const since = Date.now();
  for (const address of addresses) await fault.begin(cluster, address);
  try {
    return await work(since);
  } finally {
    for (const address of addresses) await fault.end(cluster, address);
  }
}
