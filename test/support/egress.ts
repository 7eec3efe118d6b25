import assert from 'node:assert/strict';
import { runInRoot } from '../parts/parts.ts';

/**
 * Lets a network namespace send to some servers over its interfaces, and answer whom asks it; all else that it sends or
 * forwards is dropped and counted, from before anything runs there. What is for the neighbours on the same link is left alone:
 * systemd-resolved, where it is, has them hear of its name (LLMNR).
 * @param root the part debian-12, which has iptables
 * @param pid of a process in the namespace
 */
export async function confineEgress(root: string, pid: number, servers: readonly string[]): Promise<void> {
  const [out, forward] = ['OUTPUT', 'FORWARD'].map((chain) => `iptables -A ${chain} -o host+`);
  const rules = [
    ...servers.map((server) => `${out} -p tcp -d ${server.replace(':', ' --dport ')} -j ACCEPT`),
    `${out} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `${out} -d 224.0.0.0/24 -j ACCEPT`,
    `${out} -j DROP`,
    `${forward} -j DROP`,
  ];
  await inNetwork(root, pid, rules.join(' && '));
}

/** Lets pods of that namespace reach a server, by the address of a Service; the cluster knows nothing of their addresses. */
export async function leadService(root: string, pid: number, service: string, server: string): Promise<void> {
  const ofTcp = (endpoint: string) => `-p tcp -d ${endpoint.replace(':', ' --dport ')}`;
  const rules = [
    `iptables -t nat -A PREROUTING ${ofTcp(service)} -j DNAT --to-destination ${server}`,
    `iptables -t nat -A POSTROUTING ${ofTcp(server)} -j MASQUERADE`,
    `iptables -I FORWARD -o host+ ${ofTcp(server)} -j ACCEPT`,
  ];
  await inNetwork(root, pid, rules.join(' && '));
}

/** How many packets were dropped since, and the rules with their counts. */
export async function droppedEgress(root: string, pid: number): Promise<{ packets: number; rules: string }> {
  const listing = await inNetwork(root, pid, 'iptables --list --verbose --exact --numeric');
  const counts = [...listing.matchAll(/^ *(\d+) +\d+ +DROP +.* host\+ /gm)].map(([, packets]) => Number(packets));
  assert.equal(counts.length, 2, listing);
  return { packets: counts.reduce((sum, count) => sum + count, 0), rules: listing };
}

async function inNetwork(root: string, pid: number, script: string): Promise<string> {
  const { exitCode, all } = await runInRoot(root, ['sh', '-c', script], {
    network: ['nsenter', `--target=${pid}`, '--net'],
  });
  assert.equal(exitCode, 0, all);
  return all;
}
