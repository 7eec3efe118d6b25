import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zipSync } from 'fflate';
import { packerPlatforms, packerPluginRelease } from '../../src/catalog/packer-plugins.ts';
import type { LockedArtifact } from '../../src/lock/lock.ts';

const root = join(import.meta.dirname, '../..');

/** Releases that no catalog knows, of made-up bytes. */
const releases = {
  kubeNginx: ['nginx.tar.gz', 'nginx.org/download/nginx-1.28.99.tar.gz'],
  containerd: [
    'containerd.tar.gz',
    'github.com/containerd/containerd/releases/download/v1.3.99/containerd-1.3.99-linux-amd64.tar.gz',
  ],
  runc: ['runc', 'github.com/opencontainers/runc/releases/download/v1.4.99/runc.amd64'],
  crictl: [
    'crictl.tar.gz',
    'github.com/kubernetes-sigs/cri-tools/releases/download/v1.17.99/crictl-v1.17.99-linux-amd64.tar.gz',
  ],
  cniPlugins: [
    'cni-plugins.tgz',
    'github.com/containernetworking/plugins/releases/download/v0.8.99/cni-plugins-linux-amd64-v0.8.99.tgz',
  ],
  kubelet: ['kubelet', 'dl.k8s.io/release/v1.18.99/bin/linux/amd64/kubelet'],
} as const;

/** Names of the image's artifacts -> where a mirror has them. */
export const placeOf: Readonly<Record<string, string>> = Object.fromEntries(Object.values(releases));

/** Bytes that look like nothing, the same for the same name and size. */
export function bytesOf(name: string, size: number): Buffer {
  return createHash('shake256', { outputLength: size }).update(name).digest();
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A folder of a mirror: HOST/PATH -> bytes, Packer's plugins with their lists included. */
export function mirrorFiles(sizeOf: (name: string) => number): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [name, place] of Object.values(releases)) files.set(place, bytesOf(name, sizeOf(name)));
  for (const plugin of ['amazon', 'qemu'] as const) {
    let list = '';
    for (const platform of packerPlatforms) {
      const { url, fileName, checksums } = packerPluginRelease(plugin, platform);
      const program = fileName.replace(/\.zip$/, '');
      const bytes = Buffer.from(zipSync({ [program]: [bytesOf(fileName, 3000), { mtime: '2000-01-01' }] }));
      list += `${sha256(bytes)}  ${fileName}\n`;
      files.set(withoutScheme(url), bytes);
      files.set(withoutScheme(checksums), Buffer.from(list));
    }
  }
  return files;
}

export function withoutScheme(url: string): string {
  return url.replace(/^https:\/\//, '');
}

export function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

/**
 * A description whose downloads are those of a mirror; nothing of it asks a registry.
 * @param more further lines, at the top level
 */
export function describeSite(files: ReadonlyMap<string, Uint8Array>, mirrors: readonly string[], more = ''): string {
  const components = Object.entries(releases).map(([key, [, place]]) => {
    const written = more.includes(`\n${key}:`) || more.startsWith(`${key}:`);
    return written
      ? ''
      : `${key}: { version: ${/(?<=[v-])[0-9.]+[0-9](?=[/.-])/.exec(place)?.[0] ?? ''}, sha256: ${sha256(files.get(place) ?? Buffer.alloc(0))}${key === 'containerd' ? `, ${pinnedPauseImage}` : ''} }\n`;
  });
  return `version: 1
controlPlane:
  apiServers: [192.168.31.44:6443]
  certificateAuthority: ca.pem
  version: 1.18.99
network: { podCIDR: 172.30.0.0/16, serviceCIDR: 10.254.0.0/16, dnsAddress: 10.254.0.2 }
${components.join('')}${more.includes('image:') ? '' : 'image: { source: "null", "null": { host: 192.168.31.10 } }\n'}downloads: { mirrors: ${JSON.stringify(mirrors)} }
${more}nodes:
  - name: node1
    address: 192.168.31.136
`;
}

/** By its digest, so that there is nothing left to ask. */
export const pinnedPauseImage = `sandboxImage: "registry.k8s.io/pause@sha256:${'0'.repeat(64)}"`;

/** A user's folder with such a description in it, and the mirror beside it. */
export function writeSite(
  folder: string,
  more = '',
  sizeOf: (name: string) => number = () => 40_000,
): Map<string, Buffer> {
  const files = mirrorFiles(sizeOf);
  writeFiles(join(folder, 'mirror'), files);
  copyFileSync(join(root, 'examples/guide/ca.pem'), join(folder, 'ca.pem'));
  writeFileSync(join(folder, 'cluster.yaml'), describeSite(files, [`file://${join(folder, 'mirror')}`], more));
  return files;
}

/** An entry of a lock, for some bytes. */
export function locked(name: string, url: string, bytes: Uint8Array): LockedArtifact {
  return {
    name,
    component: name,
    version: '1.0.0',
    architecture: 'amd64',
    url,
    size: bytes.length,
    sha256: sha256(bytes),
  };
}
