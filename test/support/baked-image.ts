import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { bakeImage, withMirror } from './image-command.ts';
import { mirrorUpstream } from './mirror-upstream.ts';
import { describeMachine, startRealBake, type MachineDescription } from './real-bake.ts';
import { tryPart } from './try-part.ts';

const packer = await tryPart('packer');
const upstream = await tryPart('upstream-mirror');

/** A root file system that `bake image` has made, as bootNode takes it. */
export interface BakedImage {
  readonly machines: string;
  readonly root: string;
  readonly layer: string;
}

/**
 * Bakes the image of a cluster, and leaves its description, cluster.yaml, in the same folder.
 * @param folder holds ca.pem, and pause.tar with the pause image
 * @param cluster what the description has beside what an image and its downloads need
 */
export async function bakeClusterImage(folder: string, cluster: Partial<MachineDescription>): Promise<BakedImage> {
  const machine = await startRealBake();
  try {
    const publicKey = readFileSync(`${machine.key}.pub`, 'utf8').trim();
    const { archive, security } = machine.relay;
    const description = describeMachine(publicKey, {
      source: 'null',
      null: { host: machine.link.address, user: 'debian', sysprep: true },
      apt: { mirror: archive, securityMirror: security },
    });
    const mirror = join(folder, 'mirror');
    await mirrorUpstream({ upstream: upstream.folder, packer: packer.folder }, mirror);
    mkdirSync(join(folder, 'tmp'));
    writeFileSync(
      join(folder, 'cluster.yaml'),
      stringify(withMirror({ ...description, ...cluster }, `file://${mirror}`)),
    );
    const { exitCode, stderr } = await bakeImage(folder, [packer.folder], ['--ssh-key', machine.key]);
    assert.equal(exitCode, 0, stderr);
    await machine.node.stop();
    const layer = join(folder, 'layer');
    await machine.node.keepLayer(layer);
    return { machines: machine.machines, root: machine.root, layer };
  } finally {
    await machine.end();
  }
}
