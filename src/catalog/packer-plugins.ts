import type { Architecture } from './artifacts.ts';

/** What `packer init` installs: packer/plugins.pkr.hcl pins both, and Packer loads both whatever is built. */
export const packerPlugins = { amazon: '1.3.2', qemu: '1.0.9' } as const;

export type PackerPlugin = keyof typeof packerPlugins;

/** A machine that runs Packer. */
export interface PackerPlatform {
  readonly os: 'linux' | 'darwin';
  readonly architecture: Architecture;
}

export const packerPlatforms: readonly PackerPlatform[] = [
  { os: 'darwin', architecture: 'amd64' },
  { os: 'darwin', architecture: 'arm64' },
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

/**
 * The file that upstream publishes, and the list of its digests beside it. x5.0 is the plugins' protocol; Packer finds
 * a plugin by exactly this name (https://developer.hashicorp.com/packer/docs/plugins/creation#naming-conventions).
 */
export function packerPluginRelease(
  plugin: PackerPlugin,
  { os, architecture }: PackerPlatform,
): { readonly fileName: string; readonly url: string; readonly checksums: string } {
  const version = packerPlugins[plugin];
  const name = `packer-plugin-${plugin}_v${version}`;
  const folder = `https://github.com/hashicorp/packer-plugin-${plugin}/releases/download/v${version}`;
  const fileName = `${name}_x5.0_${os}_${architecture}.zip`;
  return { fileName, url: `${folder}/${fileName}`, checksums: `${folder}/${name}_SHA256SUMS` };
}
