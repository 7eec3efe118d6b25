import { artifactOf } from '../catalog/artifacts.ts';
import { packerPlatforms, packerPluginRelease, packerPlugins, type PackerPlugin } from '../catalog/packer-plugins.ts';
import type { Cluster, Component, Digest } from '../cluster/cluster.ts';
import type { DigestText, LockedArtifact } from './lock.ts';

/** A file that a description needs, before anything is known of it but what the catalog and the description say. */
export interface NeededArtifact extends Pick<LockedArtifact, 'name' | 'component' | 'architecture' | 'url'> {
  readonly version?: string;
  readonly os?: 'linux' | 'darwin';
  readonly expected: Expected;
}

export type Expected =
  /** `by` says who: what the description says, the lock must say too; a catalog may change with bake. */
  | { readonly kind: 'digest'; readonly digest: DigestText; readonly by: 'catalog' | 'description' | 'lock' }
  /** The publisher's own list of digests, as sha256sum prints it. */
  | { readonly kind: 'list'; readonly url: string }
  /** Whatever comes first counts from then on. */
  | { readonly kind: 'nothing' };

/** The one place that knows which files a cluster needs and with which digests; the image's own come first. */
export function neededArtifacts(cluster: Cluster): NeededArtifact[] {
  return [...imageArtifacts(cluster), ...baseImage(cluster), ...plugins()];
}

/** What is brought into the image: `name` is what the scripts of the image know it by. */
export function imageArtifacts(cluster: Cluster): NeededArtifact[] {
  const { architecture, kubeNginx, containerd, runc, crictl, cniPlugins, kubelet } = cluster;
  const archive = containerd.sandboxImageArchive;
  return [
    // Source, for every architecture.
    needed('nginx.tar.gz', 'nginx', kubeNginx, 'any', artifactOf('nginx', kubeNginx.version, architecture).url),
    needed(
      'containerd.tar.gz',
      'containerd',
      containerd,
      architecture,
      artifactOf('containerd', containerd.version, architecture, containerd.build).url,
    ),
    needed('runc', 'runc', runc, architecture, artifactOf('runc', runc.version, architecture).url),
    needed('crictl.tar.gz', 'crictl', crictl, architecture, artifactOf('crictl', crictl.version, architecture).url),
    needed(
      'cni-plugins.tgz',
      'cni-plugins',
      cniPlugins,
      architecture,
      artifactOf('cniPlugins', cniPlugins.version, architecture).url,
    ),
    needed('kubelet', 'kubelet', kubelet, architecture, artifactOf('kubelet', kubelet.version, architecture).url),
    ...(archive.kind === 'none'
      ? []
      : [
          {
            name: 'sandbox-image.tar',
            component: 'sandbox-image',
            architecture,
            url: archive.path,
            expected: expectedOf(archive.digest),
          },
        ]),
  ];
}

function needed(
  name: string,
  component: string,
  { version, digest }: Component,
  architecture: NeededArtifact['architecture'],
  url: string,
): NeededArtifact {
  return { name, component, version, architecture, url, expected: expectedOf(digest) };
}

function expectedOf(digest: Digest): Expected {
  return digest.kind === 'sha256'
    ? { kind: 'digest', digest: `sha256:${digest.hex}`, by: digest.by }
    : { kind: 'nothing' };
}

/** Only a disk image starts from a download. */
function* baseImage({ image, architecture }: Cluster): Iterable<NeededArtifact> {
  if (image.source !== 'qemu') return;
  const { url, checksum } = image.qemu.baseImage;
  yield { name: 'base-image', component: 'base-image', architecture, url, expected: readChecksum(checksum) };
}

/** Packer's own notation: https://developer.hashicorp.com/packer/integrations/hashicorp/qemu/latest/components/builder/qemu */
function readChecksum(checksum: string): Expected {
  if (checksum === 'none') return { kind: 'nothing' };
  if (checksum.startsWith('file:')) return { kind: 'list', url: checksum.slice('file:'.length) };
  return { kind: 'digest', digest: checksum as DigestText, by: 'description' };
}

/** For every machine that may run Packer, so that the lock is the same on each. */
function plugins(): NeededArtifact[] {
  return (Object.keys(packerPlugins) as PackerPlugin[]).flatMap((plugin) =>
    packerPlatforms.map((platform): NeededArtifact => {
      const { fileName, url, checksums } = packerPluginRelease(plugin, platform);
      const expected = { kind: 'list', url: checksums } as const;
      return {
        name: fileName,
        component: `packer-plugin-${plugin}`,
        version: packerPlugins[plugin],
        ...platform,
        url,
        expected,
      };
    }),
  );
}
