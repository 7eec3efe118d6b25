import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BootedNode } from './booted-node.ts';

/** Places a network plugin's configuration on a node, whose pods then reach each other and it; the plugins are the image's. */
export function placeCniConfig(node: BootedNode, podCidr: string): void {
  const folder = join(node.root, 'etc/cni/net.d');
  mkdirSync(folder, { recursive: true });
  const ipam = { type: 'host-local', ranges: [[{ subnet: podCidr }]], routes: [{ dst: '0.0.0.0/0' }] };
  const config = { cniVersion: '0.3.1', name: 'pods', type: 'bridge', bridge: 'cni0', isGateway: true, ipam };
  writeFileSync(join(folder, '10-bridge.conf'), JSON.stringify(config));
}
