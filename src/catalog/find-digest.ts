import type { Architecture, Component, ContainerdBuild } from './artifacts.ts';
import checksums from './checksums.json' with { type: 'json' };
import { byVersion } from './satisfies.ts';

/** `source` is for every architecture. */
type Digests = Readonly<Partial<Record<Architecture | 'source', string>>>;

/**
 * SHA-256 of upstream release files by component, version and architecture. kubelet's rows are those of the minors in
 * kubelet-options.ts. The digests are those on which public catalogs agree:
 * - kubespray, v2.13 to today: https://github.com/kubernetes-sigs/kubespray/blob/master/roles/kubespray_defaults/vars/main/checksums.yml
 * - Kubernetes' own build, for cni-plugins 0.8.5 and crictl 1.17.0: https://github.com/kubernetes/kubernetes/blob/v1.18.6/build/workspace.bzl
 * - konfigadm, for containerd 1.3.3 and 1.3.4: https://github.com/flanksource/konfigadm
 * - Arch Linux and others, for nginx; 1.22.1 is also Debian's nginx_1.22.1.orig.tar.gz, byte for byte.
 */
const pinned: Readonly<Record<Component | 'containerdStatic', Readonly<Record<string, Digests>>>> = checksums;

/** The SHA-256 that a download must have, in hex. Undefined: the version is in no catalog. */
export function findDigest(
  component: Component,
  version: string,
  architecture: Architecture,
  build: ContainerdBuild = 'dynamic',
): string | undefined {
  const digests = releasesOf(component, build)[version];
  return digests?.source ?? digests?.[architecture];
}

/** The versions that `findDigest` knows, newest first. */
export function pinnedVersions(
  component: Component,
  architecture: Architecture,
  build: ContainerdBuild = 'dynamic',
): string[] {
  return Object.entries(releasesOf(component, build))
    .filter(([, digests]) => (digests.source ?? digests[architecture]) !== undefined)
    .map(([version]) => version)
    .sort(byVersion);
}

function releasesOf(component: Component, build: ContainerdBuild): Readonly<Record<string, Digests>> {
  return pinned[component === 'containerd' && build === 'static' ? 'containerdStatic' : component];
}
