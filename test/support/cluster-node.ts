import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BakedImage } from './baked-image.ts';
import { bootNode, type BootedNode } from './booted-node.ts';
import type { PrivateNetwork } from './private-network.ts';

/**
 * Boots a node from a baked image, with what was compiled for it on a NoCloud seed.
 * @param compiled the node's folder of the output; its network-config names its interfaces
 * @param bridges to which host0, host1 and so on of the node are connected
 * @param prepare does something to the network namespace that a process holds, and to the root, before anything runs there
 */
export function bootClusterNode(
  image: BakedImage,
  compiled: string,
  network: PrivateNetwork,
  bridges: readonly string[],
  prepare: (pid: number, root: string) => Promise<void>,
): Promise<BootedNode> {
  const read = (file: string) => readFileSync(join(compiled, file), 'utf8');
  const seed = {
    'meta-data': read('meta-data'),
    'user-data': read('user-data'),
    'network-config': read('network-config'),
  };
  return bootNode(image, seed, async (pid, root) => {
    await prepare(pid, root);
    for (const [index, bridge] of bridges.entries()) await network.plug(pid, `host${index}`, bridge);
  });
}
