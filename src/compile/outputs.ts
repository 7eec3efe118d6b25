import type { Cluster } from '../cluster/cluster.ts';
import type { Templates } from '../templates/templates.ts';
import type { TokenOf } from '../tokens/token.ts';
import { checkSharedFile } from './check-output.ts';
import { imageFiles } from './image/image-files.ts';
import { rbacFiles, tokenFiles } from './manifest-files.ts';
import { nodeFiles } from './node-files.ts';
import type { OutputFile } from './output-file.ts';

interface Output {
  readonly path: string;
  readonly what: string;
  /** Read back as it is written: each file, or, where nodes have their own, one for each shape of node. */
  readonly checked: 'each file' | 'each shape';
  readonly files: (cluster: Cluster, tokenOf: TokenOf, templates: Templates) => Iterable<OutputFile>;
}

/** Everything that `bake compile` writes, in this order; bake.json, with the digests of it all, follows. */
export const outputs: readonly Output[] = [
  {
    path: '.gitignore',
    what: 'keeps all of it, tokens too, out of git, whatever the folder is called',
    checked: 'each file',
    files: () => [{ path: '.gitignore', mode: 0o644, content: '*\n' }],
  },
  {
    path: 'packer/',
    what: 'the image: Packer template, scripts, rootfs',
    checked: 'each file',
    files: (cluster, _, templates) => imageFiles(cluster, templates),
  },
  {
    path: 'manifests/rbac.yaml',
    what: 'what kubelets and the apiserver may do',
    checked: 'each file',
    files: (cluster, _, templates) => rbacFiles(cluster, templates),
  },
  {
    path: 'manifests/tokens/',
    what: "each node's bootstrap token, as a Secret",
    checked: 'each shape',
    files: tokenFiles,
  },
  {
    path: 'nodes/',
    what: "each node's user-data, meta-data and network-config",
    checked: 'each shape',
    files: nodeFiles,
  },
];

/**
 * All files of a cluster, made one by one as they are asked for.
 * @throws Error when a file cannot be read back, which is a bug of ours
 */
export function* compile(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  for (const { checked, files } of outputs) {
    for (const file of files(cluster, tokenOf, templates)) {
      if (checked === 'each file') checkSharedFile(file);
      yield file;
    }
  }
}
