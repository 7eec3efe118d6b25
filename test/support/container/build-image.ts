import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { runInRoot } from '../../parts/parts.ts';

const project = join(import.meta.dirname, '../../..');

/**
 * Builds the image of the project by its Dockerfile, as a user does, on an image with the Node.js of this machine.
 * @param buildah the folder of the part
 * @param folder a new one
 * @returns the archive, as `docker save` writes it
 */
export async function buildImage(buildah: string, reference: string, folder: string): Promise<string> {
  const [storage, out] = [join(folder, 'storage'), join(folder, 'out')];
  for (const made of [storage, out]) mkdirSync(made, { recursive: true });
  const { stdout: registry } = await execa`npm config get registry`;
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm');
  const ofMachine = ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'];
  const { exitCode, all } = await runInRoot(join(buildah, 'root'), ['bash', '/build-image.sh', reference], {
    binds: [
      { from: join(import.meta.dirname, 'build-image.sh'), to: '/build-image.sh' },
      { from: project, to: '/project' },
      { from: join(buildah, 'slim'), to: '/slim' },
      { from: process.execPath, to: '/node/bin/node' },
      { from: npm, to: '/node/lib/node_modules/npm' },
      ...ofMachine.map((file) => ({ from: file, to: file })),
      { from: storage, to: '/var/lib/containers', writable: true },
      { from: out, to: '/out', writable: true },
    ],
    env: { NPM_CONFIG_REGISTRY: registry },
    network: 'host',
  });
  assert.equal(exitCode, 0, all);
  return join(out, 'image.tar');
}
