import { z } from 'zod';
import { platformNames } from '../../catalog/platforms.ts';
import { componentShape, containerdShape, controlPlaneShape, kubeletShape, kubeNginxShape } from './components.ts';
import { imageShape } from './image.ts';
import { nodeShape } from './nodes.ts';
import { cidr, dnsName, duration, freeText, imageReference, ipAddress, mirror } from './scalars.ts';

const networkShape = z.strictObject({
  podCIDR: cidr.describe("The pods' network (the guide's CLUSTER_CIDR)."),
  serviceCIDR: cidr.describe("The services' network."),
  dnsDomain: dnsName.optional().describe("The guide's CLUSTER_DNS_DOMAIN."),
  dnsAddress: ipAddress.describe("The DNS service's address (the guide's CLUSTER_DNS_SVC_IP)."),
});

const userDataShape = z.strictObject({
  target: z.enum(platformNames).optional().describe('Where user-data is pasted.'),
  encoding: z.enum(['plain', 'gzip']).optional().describe('gzip where plain user-data is too long for the target.'),
});

const downloadsShape = z.strictObject({
  mirrors: z
    .array(mirror)
    .optional()
    .describe('Asked in order before the upstream. A mirror holds MIRROR/HOST/PATH of an upstream URL.'),
});

/** The whole of cluster.yaml. The JSON Schema that editors use comes from here too. */
export const clusterSpecShape = z.strictObject({
  version: z.literal(1).describe('Version of this file format.'),
  name: freeText.optional().describe('Name of the cluster inside kubeconfigs.'),
  profile: z
    .enum(['default', 'guide'])
    .optional()
    .describe('guide brings back every literal value of the guide, also where it is wrong; see docs/deviations.md.'),
  architecture: z.enum(['amd64', 'arm64']).optional(),
  controlPlane: controlPlaneShape,
  network: networkShape,
  kubeNginx: kubeNginxShape.optional(),
  containerd: containerdShape.optional(),
  runc: componentShape.optional(),
  crictl: componentShape.optional(),
  cniPlugins: componentShape.optional(),
  kubelet: kubeletShape.optional(),
  image: imageShape.optional(),
  downloads: downloadsShape.optional(),
  userData: userDataShape.optional(),
  approval: z
    .enum(['guide', 'plan'])
    .optional()
    .describe(
      'Who approves the client certificates of nodes: the cluster, to any bootstrap token (guide), or bake (plan).',
    ),
  approver: z
    .strictObject({
      image: imageReference.describe("bake's image, made by its Dockerfile, where the cluster pulls it."),
    })
    .optional()
    .describe('Approves certificates from inside the cluster; its manifests are in manifests/approver.'),
  tokens: z.strictObject({ ttl: duration.optional().describe('How long a bootstrap token lives.') }).optional(),
  sshAuthorizedKeys: z
    .array(z.string())
    .optional()
    .describe("Public keys that may log in as the system's default user."),
  nodes: z.array(nodeShape).min(1),
});

/** What was written in cluster.yaml, before defaults. */
export type ClusterSpec = z.infer<typeof clusterSpecShape>;

/** JSON Schema (draft 7, which yaml-language-server reads) of what may be written. */
export function clusterSchema(): object {
  return z.toJSONSchema(clusterSpecShape, { target: 'draft-7', io: 'input' });
}
