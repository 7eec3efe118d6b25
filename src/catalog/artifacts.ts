import { satisfies } from './satisfies.ts';

export type Architecture = 'amd64' | 'arm64';
export type Component = 'nginx' | 'containerd' | 'runc' | 'crictl' | 'cniPlugins' | 'kubelet';

/** How upstream linked containerd; only containerd has a choice. */
export type ContainerdBuild = 'dynamic' | 'static';

/** One file of an upstream release, as upstream names it. */
export interface Artifact {
  readonly fileName: string;
  readonly url: string;
}

/**
 * Where upstream publishes a release. Versions have no leading `v`. Whether the file exists for this architecture is
 * what `constraints.ts` knows.
 */
export function artifactOf(
  component: Component,
  version: string,
  architecture: Architecture,
  build: ContainerdBuild = 'dynamic',
): Artifact {
  const { folder, fileName } = releases[component]({ version, architecture, build });
  return { fileName, url: `${folder}/${fileName}` };
}

interface Release {
  readonly version: string;
  readonly architecture: Architecture;
  readonly build: ContainerdBuild;
}

interface Location {
  readonly folder: string;
  readonly fileName: string;
}

const releases: Readonly<Record<Component, (release: Release) => Location>> = {
  /** Source, for every architecture: https://nginx.org/en/download.html */
  nginx: ({ version }) => ({ folder: 'https://nginx.org/download', fileName: `nginx-${version}.tar.gz` }),

  /** https://github.com/containerd/containerd/releases */
  containerd: (release) => ({
    folder: githubRelease('containerd/containerd', release.version),
    fileName: containerdFileName(release),
  }),

  /** https://github.com/opencontainers/runc/releases; the name holds no version. */
  runc: ({ version, architecture }) => ({
    folder: githubRelease('opencontainers/runc', version),
    fileName: `runc.${architecture}`,
  }),

  /** https://github.com/kubernetes-sigs/cri-tools/releases */
  crictl: ({ version, architecture }) => ({
    folder: githubRelease('kubernetes-sigs/cri-tools', version),
    fileName: `crictl-v${version}-linux-${architecture}.tar.gz`,
  }),

  /** https://github.com/containernetworking/plugins/releases */
  cniPlugins: ({ version, architecture }) => ({
    folder: githubRelease('containernetworking/plugins', version),
    fileName: `cni-plugins-linux-${architecture}-v${version}.tgz`,
  }),

  /** https://kubernetes.io/releases/download/#binaries; the name holds no version. */
  kubelet: ({ version, architecture }) => ({
    folder: `https://dl.k8s.io/release/v${version}/bin/linux/${architecture}`,
    fileName: 'kubelet',
  }),
};

function githubRelease(repository: string, version: string): string {
  return `https://github.com/${repository}/releases/download/v${version}`;
}

/** 1.3.4 is the last release with a dot before `linux`; from 1.3.5 on it is a dash. */
function containerdFileName({ version, architecture, build }: Release): string {
  if (build === 'static') return `containerd-static-${version}-linux-${architecture}.tar.gz`;
  const separator = satisfies(version, '<1.3.5') ? '.' : '-';
  return `containerd-${version}${separator}linux-${architecture}.tar.gz`;
}
