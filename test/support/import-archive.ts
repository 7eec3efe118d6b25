import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BootedNode } from './booted-node.ts';

/** Lets containerd of a node have the image of an archive, as `docker save` writes one; no registry is asked. */
export async function importArchive(node: BootedNode, archive: string): Promise<void> {
  const copy = join(node.root, 'root/image.tar');
  copyFileSync(archive, copy);
  const { exitCode, all } = await node.run('/opt/k8s/bin/ctr --namespace k8s.io images import /root/image.tar');
  rmSync(copy);
  assert.equal(exitCode, 0, all);
}
