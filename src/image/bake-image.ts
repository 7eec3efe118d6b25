import { mkdirSync, mkdtempSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { removeLeftovers } from '../edges/remove-leftovers.ts';
import { removeTree } from '../edges/remove-tree.ts';
import { holdMark, markIn, releaseMark } from '../edges/run-mark.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { billOfMaterials, type Release } from './bill-of-materials.ts';
import { createBuildKey } from './build-key.ts';
import { nameStep } from './name-step.ts';
import { Phases, type Phase } from './phases.ts';
import { pluginFolder } from './plugin-folder.ts';
import { runPacker } from './run-packer.ts';
import { Story } from './story.ts';

const BUILDING = '.building-';
/** A build takes minutes to hours; another machine's folder that nobody touched for so long is a leftover. */
const PATIENCE_MS = 24 * 3_600_000;

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
  readonly phases: readonly Phase[];
}

/**
 * Bakes an image with Packer. What is made on the way is gone afterwards, whatever happens.
 * @throws Failure `bake-failed` with what the failing step said, or of the disk
 */
export async function bakeImage(bake: Bake, surroundings: Surroundings): Promise<BakedImage> {
  const { cluster, folder } = bake;
  const { name, source } = cluster.image;
  const trouble: DiskTrouble = {
    code: 'output-unwritable',
    fact: `cannot write ${folder}`,
    remedy: 'name another folder with --image',
  };
  const mark = holdMark();
  const building = join(folder, `${BUILDING}${mark}`);
  const log = join(folder, `${name}.log`);
  // The key in it is nobody else's; mkdtemp makes it 0700.
  const work = mkdtempSync(join(tmpdir(), 'bake-image-'));
  const phases = new Phases(surroundings.stderr);
  try {
    onDisk(trouble, () => {
      mkdirSync(folder, { recursive: true });
      removeLeftovers(folder, (name) => markIn(name, BUILDING), PATIENCE_MS);
      mkdirSync(building);
      writeFileSync(log, '', { mode: 0o600 });
    });
    phases.begin('packer init');
    const story = new Story();
    const packer = (args: readonly string[]) =>
      runPacker({
        args,
        cwd: building,
        log,
        signal: surroundings.signal,
        environment: surroundings.env,
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
    const must = async (args: readonly string[]): Promise<void> => {
      if ((await packer(args)) !== 0) throw new Failure('bake-failed', story.ending(log));
    };
    pluginFolder(join(work, 'plugins'), bake.files);
    await must(['init', bake.template]);
    await must(['build', ...variables(bake, work, building), bake.template]);
    const done = phases.end('done');

    const disk = `${name}.${cluster.image.qemu.format}`;
    const hasDisk = source === 'qemu';
    const bill = billOfMaterials({
      image: name,
      os: cluster.image.os,
      releases: bake.releases,
      inputs: bake.inputs,
      packages: readFileSync(join(work, 'packages.tsv'), 'utf8'),
      ...(hasDisk ? { sha256: readDigest(join(building, 'disk', `${disk}.sha256`)) } : {}),
    });
    const billFile = join(folder, `${name}.cdx.json`);
    onDisk(trouble, () => {
      writeFileSync(join(building, basename(billFile)), bill);
      // The disk last: who finds the new one finds its digest too.
      if (hasDisk) {
        for (const file of [`${disk}.sha256`, disk]) renameSync(join(building, 'disk', file), join(folder, file));
      }
      renameSync(join(building, basename(billFile)), billFile);
    });
    const artifact = hasDisk ? join(folder, disk) : (story.artifactId ?? cluster.image.null.host);
    return { artifact, bill: billFile, log, phases: done };
  } catch (error) {
    phases.end('failed');
    throw error;
  } finally {
    removeTree(building);
    removeTree(work);
    releaseMark(mark);
  }
}

/** @returns the arguments that set what belongs to this machine and this build */
function variables({ cluster, files, sshKey }: Bake, work: string, building: string): string[] {
  const artifacts = join(work, 'artifacts');
  mkdirSync(artifacts);
  for (const [name, path] of files) symlinkSync(path, join(artifacts, name));
  const values: Record<string, string> = {
    artifacts_folder: artifacts,
    package_list: join(work, 'packages.tsv'),
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

/** The checksum post-processor writes the digest, a tab and the name. */
function readDigest(file: string): string {
  return readFileSync(file, 'utf8').slice(0, 64);
}
