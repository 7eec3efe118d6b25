import assert from 'node:assert/strict';
import type { BootedNode } from './booted-node.ts';

/** Runs a command on a node as root; fails with what it said when it fails. */
export async function saysOn(node: BootedNode, command: string): Promise<string> {
  const { exitCode, all } = await node.run(command);
  assert.equal(exitCode, 0, `${command}: ${all}`);
  return all.trim();
}

/** A first boot that went well: cloud-init is done without errors, no unit has failed, and none waits for itself. */
export async function expectGoodBoot(node: BootedNode): Promise<void> {
  // Where it waited, it prints an empty line first.
  assert.equal(await saysOn(node, 'cloud-init status --wait'), 'status: done');
  assert.match(await saysOn(node, 'cat /run/cloud-init/result.json'), /"errors": \[\]/);
  assert.equal(await saysOn(node, 'systemctl list-units --state=failed --plain --no-legend'), '');
  // A unit that failed, and was started again, is up by now.
  const journal = await saysOn(node, 'journalctl --boot --output=cat _PID=1');
  assert.match(journal, /Started kubelet\.service/);
  assert.doesNotMatch(journal, /ordering cycle|Failed to start|Failed with result|Dependency failed/);
}

/** By how many milliseconds kubelet was started before the last stage of cloud-init. */
export async function kubeletLead(node: BootedNode): Promise<number> {
  const at = async (unit: string, property: string) =>
    Number(await saysOn(node, `systemctl show --property=${property} --value ${unit}`));
  const kubelet = await at('kubelet.service', 'ActiveEnterTimestampMonotonic');
  const final = await at('cloud-final.service', 'ExecMainStartTimestampMonotonic');
  assert.ok(kubelet > 0 && final > 0, `kubelet at ${kubelet} µs, cloud-final at ${final} µs`);
  return (final - kubelet) / 1000;
}
