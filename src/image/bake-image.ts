import {
  closeSync,
  cpSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk } from '../edges/on-disk.ts';
import { removeTree } from '../edges/remove-tree.ts';
import { holdMark, releaseMark } from '../edges/run-mark.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { syncFolder } from '../edges/sync-folder.ts';
import { imageArtifacts } from '../lock/needed-artifacts.ts';
import { billOfMaterials, type Release } from './bill-of-materials.ts';
import { createBuildKey } from './build-key.ts';
import { nameStep } from './name-step.ts';
import type { Phases } from './phases.ts';
import { makePlaces, placesOf, type Places } from './places.ts';
import { pluginFolder } from './plugin-folder.ts';
import { runPacker } from './run-packer.ts';
import { Story } from './story.ts';

export interface Bake {
  readonly cluster: Cluster;
  /** out/packer, as `bake compile` wrote it. */
  readonly template: string;
  /** What it was compiled from: name -> SHA-256. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Name in bake.lock -> path of the file. */
  readonly files: ReadonlyMap<string, string>;
  /** What of them goes into the image. */
  readonly releases: readonly Release[];
  /** Where the image goes; what bears its name there is replaced, once the new one is complete. */
  readonly folder: string;
  /** The key that logs in to an existing machine; undefined: the SSH agent's. Other sources get one of their own. */
  readonly sshKey: string | undefined;
}

export interface BakedImage {
  /** The disk image, the AMI as REGION:ID, or the machine. */
  readonly artifact: string;
  readonly bill: string;
  readonly log: string;
}

/**
 * Bakes an image with Packer. What is made on the way is gone afterwards, whatever happens.
 * @throws Failure `bake-failed` with what the failing step said, `image-busy`, or of the disk
 */
export async function bakeImage(bake: Bake, phases: Phases, surroundings: Surroundings): Promise<BakedImage> {
  const mark = holdMark();
  const places = placesOf(bake.folder, bake.cluster.image.name, mark);
  try {
    makePlaces(places);
    const story = await build(bake, places, phases, surroundings);
    return { ...placeResults(bake, places, story), log: places.log };
  } finally {
    for (const path of [places.building, places.work]) {
      try {
        removeTree(path);
      } catch {
        // What went wrong first is what the user must hear; the next bake tries again.
      }
    }
    releaseMark(mark);
  }
}

/** Runs Packer: `init`, then `build`. */
async function build(bake: Bake, places: Places, phases: Phases, { env, signal }: Surroundings): Promise<Story> {
  const { building, work, log, trouble, workTrouble } = places;
  const story = new Story();
  const packer = async (...args: readonly string[]): Promise<void> => {
    const exitCode = await runPacker({
      args,
      cwd: building,
      log,
      trouble,
      signal,
      environment: env,
      env: {
        CHECKPOINT_DISABLE: '1',
        PACKER_PLUGIN_PATH: join(work, 'plugins'),
        PACKER_CACHE_DIR: join(work, 'cache'),
        TMPDIR: work,
      },
      onEvent: (event) => {
        story.hear(event);
        const phase = event.kind === 'step' ? nameStep(event.text) : undefined;
        if (phase !== undefined) phases.begin(phase);
      },
    });
    if (exitCode !== 0) throw new Failure('bake-failed', story.ending(log));
  };
  phases.begin('packer init');
  const settings = onDisk(workTrouble, () => {
    pluginFolder(join(work, 'plugins'), bake.files);
    // Packer reads it to the end, and the next compile removes the one that it replaces.
    cpSync(bake.template, join(work, 'template'), { recursive: true });
    return variables(bake, places);
  });
  await packer('init', join(work, 'template'));
  await packer('build', ...settings, join(work, 'template'));
  return story;
}

/** @returns the arguments that set what belongs to this machine and this build */
function variables({ cluster, files, sshKey }: Bake, { building, work, packages }: Places): string[] {
  const values: Record<string, string> = {
    artifacts_folder: linkArtifacts(cluster, files, work),
    package_list: packages,
  };
  if (cluster.image.source === 'qemu') {
    const { publicKey, privateKey } = createBuildKey();
    const key = join(work, 'key.pem');
    writeFileSync(key, privateKey, { mode: 0o600 });
    values['ssh_private_key_file'] = key;
    values['ssh_public_key'] = publicKey;
    values['qemu_output_directory'] = join(building, 'disk');
    values['qemu_base_image_url'] = files.get('base-image') ?? cluster.image.qemu.baseImage.url;
  } else if (sshKey !== undefined) {
    values['ssh_private_key_file'] = sshKey;
  }
  return Object.entries(values).flatMap(([name, value]) => ['-var', `${name}=${value}`]);
}

/** @returns a folder with what goes into the image, by the names that the template knows */
function linkArtifacts(cluster: Cluster, files: Bake['files'], work: string): string {
  const folder = join(work, 'artifacts');
  mkdirSync(folder);
  for (const { name } of imageArtifacts(cluster)) {
    const path = files.get(name);
    if (path !== undefined) symlinkSync(path, join(folder, name));
  }
  return folder;
}

/** Brings the disk image, where there is one, and the bill to the folder. */
function placeResults(
  { cluster: { image }, releases, inputs }: Bake,
  { folder, building, packages, trouble }: Places,
  { artifactId = image.null.host }: Story,
): Pick<BakedImage, 'artifact' | 'bill'> {
  const hasDisk = image.source === 'qemu';
  const disk = `${image.name}.${image.qemu.format}`;
  const text = billOfMaterials({
    image: image.name,
    os: image.os,
    releases,
    inputs,
    packages: readFileSync(packages, 'utf8'),
    ...(hasDisk ? { sha256: readDigest(join(building, 'disk', `${disk}.sha256`)) } : {}),
  });
  const bill = `${image.name}.cdx.json`;
  onDisk(trouble, () => {
    writeFileSync(join(building, bill), text);
    if (hasDisk) {
      const digest = `${disk}.sha256`;
      syncFile(join(building, 'disk', disk));
      // Whoever looks meanwhile finds a disk without a digest, never one with the digest of another.
      rmSync(join(folder, digest), { force: true });
      for (const file of [disk, digest]) renameSync(join(building, 'disk', file), join(folder, file));
    }
    renameSync(join(building, bill), join(folder, bill));
    syncFolder(folder);
  });
  return { artifact: hasDisk ? join(folder, disk) : artifactId, bill: join(folder, bill) };
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The checksum post-processor writes the digest, a tab and the name. */
function readDigest(file: string): string {
  return readFileSync(file, 'utf8').slice(0, 64);
}
