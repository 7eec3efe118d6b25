import type { Cluster } from '../../cluster/cluster.ts';
import type { Templates } from '../../templates/templates.ts';
import type { OutputFile } from '../output-file.ts';
import { artifactList } from './artifacts.ts';
import { hosts } from './hosts.ts';
import { packerVariables } from './packer-variables.ts';
import { rootfsFiles } from './rootfs.ts';

/** packer/: all that `packer build` needs to bake the image. HCL and scripts are as they stand in the package. */
export function* imageFiles(cluster: Cluster, templates: Templates): Iterable<OutputFile> {
  for (const { path, text } of templates.list('packer')) {
    if (path.endsWith('.pkr.hcl')) yield { path, mode: 0o644, content: text };
  }
  yield { path: 'packer/bake.auto.pkrvars.json', mode: 0o644, content: packerVariables(cluster) };
  yield { path: 'packer/artifacts.tsv', mode: 0o644, content: artifactList(cluster) };
  yield { path: 'packer/hosts', mode: 0o644, content: hosts(cluster) };
  for (const { name, text } of cluster.image.hooks) yield { path: `packer/hooks/${name}`, mode: 0o755, content: text };
  yield* rootfsFiles(cluster, templates);
  for (const { path, text } of templates.list('scripts')) {
    yield { path: `packer/${path}`, mode: 0o755, content: text };
  }
}
