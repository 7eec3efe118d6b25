import type { Cluster } from '../cluster/cluster.ts';
import type { Templates } from '../templates/templates.ts';
import type { TokenOf } from '../tokens/token.ts';
import { checkSharedFile } from './check-output.ts';
import { imageFiles } from './image/image-files.ts';
import { approverFiles, rbacFiles, tokenFiles } from './manifest-files.ts';
import { nodeFiles } from './node-files.ts';
import type { OutputFile } from './output-file.ts';

interface Output {
  readonly files: (cluster: Cluster, tokenOf: TokenOf, templates: Templates) => Iterable<OutputFile>;
  /** Reads a file back before it is written; node files and tokens do that themselves, once for each shape. */
  readonly check?: (file: OutputFile) => void;
}

/** Everything that `bake compile` writes, in this order; bake.json, with the digests of it all, follows. */
const outputs: readonly Output[] = [
  // Keeps all of it, tokens too, out of git, whatever the folder is called.
  { files: () => [{ path: '.gitignore', mode: 0o644, content: '*\n' }] },
  // packer/: the image
  { files: (cluster, _, templates) => imageFiles(cluster, templates), check: checkSharedFile },
  // manifests/rbac.yaml: what kubelets and the apiserver may do
  { files: (cluster, _, templates) => rbacFiles(cluster, templates), check: checkSharedFile },
  // manifests/approver/: bake itself in the cluster, where that is wanted
  { files: approverFiles, check: checkSharedFile },
  // manifests/tokens/: the bootstrap token of each node that has not joined, as a Secret
  { files: tokenFiles },
  // nodes/: user-data, meta-data and network-config of each such node
  { files: nodeFiles },
];

/**
 * All files of a cluster, made one by one as they are asked for.
 * @throws Error when a file cannot be read back, which is a bug of ours
 */
export function* compile(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  for (const { files, check } of outputs) {
    for (const file of files(cluster, tokenOf, templates)) {
      check?.(file);
      yield file;
    }
  }
}
