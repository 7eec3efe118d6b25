import { findPlatform } from '../catalog/platforms.ts';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { quoteYaml } from '../templates/quote-yaml.ts';
import type { Templates } from '../templates/templates.ts';
import type { TokenOf } from '../tokens/token.ts';
import { checkMetaData, checkNetworkConfig, checkUserData, shapeOf } from './check-output.ts';
import { gzip } from './gzip.ts';
import { networkConfig } from './network-config.ts';
import type { OutputFile } from './output-file.ts';
import { sha256 } from '../cluster/sha256.ts';
import { userDataOf } from './user-data.ts';

/**
 * nodes/NAME/: what is pasted into a hypervisor or cloud console. What the target cannot take is left out, and so is a node
 * that has joined: user-data without a token would make a machine that never does.
 */
export function* nodeFiles(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  const platform = findPlatform(cluster.userData.target);
  const userData = userDataOf(cluster, !platform.takesMetaData, templates);
  const checkedShapes = new Set<string>();

  for (const node of cluster.nodes) {
    const token = tokenOf(node.name);
    if (token === undefined) continue;
    const folder = `nodes/${node.name}`;
    const { text } = userData(node, token);
    const meta = platform.takesMetaData ? metaData(node, text, templates) : undefined;
    const network = platform.takesNetworkConfig ? networkConfig(node, templates) : undefined;
    if (!checkedShapes.has(shapeOf(node))) {
      checkedShapes.add(shapeOf(node));
      checkUserData(text, node, token, cluster);
      if (meta !== undefined) checkMetaData(meta, node);
      if (network !== undefined) checkNetworkConfig(network, node);
    }
    yield* userDataFiles(folder, text, cluster.userData.encoding);
    if (meta !== undefined) yield { path: `${folder}/meta-data`, mode: 0o644, content: meta };
    if (network !== undefined) yield { path: `${folder}/network-config`, mode: 0o644, content: network };
  }
}

function* userDataFiles(folder: string, text: string, encoding: 'plain' | 'gzip'): Iterable<OutputFile> {
  if (encoding === 'plain') {
    yield { path: `${folder}/user-data`, mode: 0o600, content: text };
    return;
  }
  const zipped = gzip(text);
  yield { path: `${folder}/user-data`, mode: 0o600, content: zipped };
  // gzip cannot be pasted; consoles and APIs take this.
  yield { path: `${folder}/user-data.b64`, mode: 0o600, content: `${Buffer.from(zipped).toString('base64')}\n` };
}

/** NoCloud takes a new instance-id for a new instance and writes its files again; without one it would not. */
function metaData(node: Node, userData: string, templates: Templates): string {
  return templates.render('cloud-init/meta-data.hbs', {
    // Quoted, since YAML 1.1 has other types for names such as on, 010 and 1.10.
    instanceId: quoteYaml(`${node.name}-${sha256(userData).slice(0, 12)}`),
    name: quoteYaml(node.name),
  });
}
