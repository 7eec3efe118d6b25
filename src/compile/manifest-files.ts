import { gte } from 'semver';
import type { Cluster } from '../cluster/cluster.ts';
import { formatInventory } from '../csr/inventory.ts';
import { quoteYaml } from '../templates/quote-yaml.ts';
import type { Templates } from '../templates/templates.ts';
import { bootstrapGroup } from '../tokens/bootstrap-group.ts';
import type { TokenOf } from '../tokens/token.ts';
import { gzip } from './gzip.ts';
import type { OutputFile } from './output-file.ts';

/** manifests/rbac.yaml: the guide's RBAC, section 3 (5) to (7). */
export function* rbacFiles(cluster: Cluster, templates: Templates): Iterable<OutputFile> {
  const content = templates.render('manifests/rbac.yaml.hbs', {
    kubeletClientUser: quoteYaml(cluster.controlPlane.kubeletClientUser),
    clusterApproves: cluster.approval === 'guide',
  });
  yield { path: 'manifests/rbac.yaml', mode: 0o644, content };
}

/** manifests/approver/: bake approve-csrs as a Deployment of two replicas. */
export function* approverFiles(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  if (cluster.approver.kind === 'none') return;
  const byTokens = cluster.approval === 'plan';
  const inventory = formatInventory(cluster, byTokens ? (node) => tokenOf(node)?.id : undefined);
  const view = {
    image: quoteYaml(cluster.approver.image),
    inventory: quoteYaml(Buffer.from(gzip(inventory)).toString('base64')),
    approvesClients: byTokens,
    // An older apiserver drops the field, and kubectl's validation refuses it:
    // https://github.com/kubernetes/kubernetes/pull/91381
    hasSeccompProfile: gte(cluster.controlPlane.version, '1.19.0'),
  };
  for (const name of ['rbac', 'inventory', 'deployment']) {
    const content = templates.render(`manifests/approver/${name}.yaml.hbs`, view);
    yield { path: `manifests/approver/${name}.yaml`, mode: 0o644, content };
  }
}

/**
 * manifests/tokens/NAME.yaml: what `kubeadm token create` makes, section 3 (1) of the guide, one Secret a node that has not
 * joined.
 */
export function* tokenFiles(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  for (const { name } of cluster.nodes) {
    const token = tokenOf(name);
    if (token === undefined) continue;
    const content = templates.render('manifests/bootstrap-token.yaml.hbs', { ...token, group: bootstrapGroup(name) });
    yield { path: `manifests/tokens/${name}.yaml`, mode: 0o600, content };
  }
}
