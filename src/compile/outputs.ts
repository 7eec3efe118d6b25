import type { Cluster } from '../cluster/cluster.ts';
import type { Templates } from '../templates/templates.ts';
import type { TokenOf } from '../tokens/token.ts';
import { imageFiles } from './image/image-files.ts';
import { rbacFiles, tokenFiles } from './manifest-files.ts';
import { nodeFiles } from './node-files.ts';
import type { OutputFile } from './output-file.ts';

interface Output {
  readonly path: string;
  readonly what: string;
  readonly files: (cluster: Cluster, tokenOf: TokenOf, templates: Templates) => Iterable<OutputFile>;
}

/** Everything that `bake compile` writes, in this order; bake.json, with the digests of it all, follows. */
export const outputs: readonly Output[] = [
  {
    path: 'packer/',
    what: 'the image: Packer template, scripts, rootfs',
    files: (cluster, _, templates) => imageFiles(cluster, templates),
  },
  {
    path: 'manifests/rbac.yaml',
    what: 'what kubelets and the apiserver may do',
    files: (cluster, _, templates) => rbacFiles(cluster, templates),
  },
  { path: 'manifests/tokens/', what: "each node's bootstrap token, as a Secret", files: tokenFiles },
  { path: 'nodes/', what: "each node's user-data, meta-data and network-config", files: nodeFiles },
];

/** All files of a cluster, made one by one as they are asked for. */
export function* compile(cluster: Cluster, tokenOf: TokenOf, templates: Templates): Iterable<OutputFile> {
  for (const output of outputs) yield* output.files(cluster, tokenOf, templates);
}
