import type { Cluster, Node } from '../cluster/cluster.ts';
import { formatEndpoint } from '../cluster/format-endpoint.ts';
import { nodePaths } from '../cluster/node-paths.ts';
import { plannedIdentity } from '../cluster/planned-identity.ts';
import { indentBlock, quoteYaml, toYaml } from '../templates/quote-yaml.ts';
import type { Templates } from '../templates/templates.ts';
import { sha256 } from '../cluster/sha256.ts';
import type { Token } from '../tokens/token.ts';

/** A file that cloud-init's write_files places (https://cloudinit.readthedocs.io/en/22.4/topics/modules.html#write-files). */
interface PlacedFile {
  readonly path: string;
  readonly mode: string;
  readonly text: string;
}

/** User-data, and how its bytes divide, for the day when a target finds it too long. */
export interface UserDataText {
  readonly text: string;
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
}

/**
 * Returns what makes the user-data of one node: only what is that node's own. What nodes share is made once, here.
 *
 * The list of SHA-256 comes last. The baked unit of kubelet starts on that list and checks it first, so that user-data
 * cut short never starts a kubelet.
 */
export function userDataOf(
  cluster: Cluster,
  hostname: boolean,
  templates: Templates,
): (node: Node, token: Token) => UserDataText {
  const sharedFields = toYaml(cluster.kubelet.config).trimEnd();
  const sharedKubeconfig = {
    cluster: quoteYaml(cluster.name),
    certificateAuthorityData: Buffer.from(cluster.controlPlane.certificateAuthority).toString('base64'),
    server: `https://${formatEndpoint(cluster.kubeNginx.listen)}`,
  };
  const sshAuthorizedKeys = cluster.userData.sshAuthorizedKeys.map(quoteYaml);

  return (node, token) => {
    const identity = plannedIdentity(node);
    const files: PlacedFile[] = [
      {
        path: nodePaths.kubeletConfig,
        mode: '0644',
        text: templates.render('cloud-init/kubelet-config.yaml.hbs', {
          address: identity.address,
          healthzOnNodeAddress: cluster.kubelet.healthzOnNodeAddress,
          sharedFields,
        }),
      },
      {
        path: nodePaths.bootstrapKubeconfig,
        mode: '0600',
        text: templates.render('cloud-init/kubelet-bootstrap.kubeconfig.hbs', {
          ...sharedKubeconfig,
          token: `${token.id}.${token.secret}`,
        }),
      },
      {
        path: nodePaths.kubeletEnvironment,
        mode: '0644',
        text: templates.render('cloud-init/kubelet.env.hbs', identity),
      },
    ];
    const checksums = {
      path: nodePaths.checksums,
      mode: '0644',
      text: templates.render('cloud-init/bake.sha256.hbs', {
        files: files.map(({ path, text }) => ({ path, digest: sha256(text) })),
      }),
    };
    const placed = [...files, checksums];
    const text = templates.render('cloud-init/user-data.hbs', {
      hostname: hostname ? quoteYaml(identity.name) : undefined,
      sshAuthorizedKeys,
      files: placed.map((file) => ({ ...file, content: indentBlock(file.text, 6) })),
    });
    return {
      text,
      sections: placed.map(({ path, text: content }) => ({
        name: path,
        bytes: Buffer.byteLength(indentBlock(content, 6)),
      })),
    };
  };
}
