import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { BootedNode } from './booted-node.ts';

/**
 * Lets pods start on a machine without CAP_SYS_RESOURCE, where nobody can lower a process's OOM score and runc gives up
 * when it cannot: containerd has a setting for such machines. On others nothing is changed.
 */
export async function restrictOomScore(node: BootedNode): Promise<void> {
  const [, capabilities = ''] = /^CapEff:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if ((BigInt(`0x${capabilities}`) >> CAP_SYS_RESOURCE) & 1n) return;
  const table = '[plugins."io.containerd.grpc.v1.cri"]';
  const append = `sed -i 's/^ *\\${table}$/&\\n    restrict_oom_score_adj = true/' /etc/containerd/config.toml`;
  const { exitCode, all } = await node.run(
    `${append} && grep -A1 -F '${table}' /etc/containerd/config.toml && systemctl restart containerd.service`,
  );
  assert.equal(exitCode, 0, all);
  assert.match(all, /restrict_oom_score_adj/);
  console.log('  this machine cannot lower OOM scores: containerd is told so');
}

/** Its number in linux/capability.h. */
const CAP_SYS_RESOURCE = 24n;
