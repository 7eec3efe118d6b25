import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { removeLeftovers, removeTemporaryLeftovers } from '../edges/remove-leftovers.ts';
import { markIn } from '../edges/run-mark.ts';

const WORK = 'bake-image-';
/** A build takes minutes to hours; another machine's folder that nobody touched for so long is a leftover. */
const PATIENCE_MS = 24 * 3_600_000;

/** Where a bake works. */
export interface Places {
  /** Where the image goes. */
  readonly folder: string;
  /** What Packer makes, on the disk of the folder that it is for. Its name says who makes which image. */
  readonly building: string;
  readonly buildingPrefix: string;
  /** The rest of what goes when the bake ends. */
  readonly work: string;
  readonly log: string;
  /** The list of the image's packages, which the template downloads. */
  readonly packages: string;
  readonly trouble: DiskTrouble;
  readonly workTrouble: DiskTrouble;
}

/** @param name the image's */
export function placesOf(folder: string, name: string, mark: string): Places {
  const work = join(tmpdir(), `${WORK}${mark}`);
  const buildingPrefix = `.building-${name}-`;
  return {
    folder,
    building: join(folder, `${buildingPrefix}${mark}`),
    buildingPrefix,
    work,
    log: join(folder, `${name}.log`),
    packages: join(work, 'packages.tsv'),
    trouble: { code: 'output-unwritable', fact: `cannot write ${folder}`, remedy: 'name another folder with --image' },
    workTrouble: {
      code: 'output-unwritable',
      fact: `cannot write ${tmpdir()}`,
      remedy: 'name another folder with TMPDIR',
    },
  };
}

/**
 * Makes them, and removes what bakes that are gone have left.
 * @throws Failure `image-busy`, or of the disk
 */
export function makePlaces({ folder, building, buildingPrefix, work, log, trouble, workTrouble }: Places): void {
  onDisk(trouble, () => {
    mkdirSync(folder, { recursive: true });
    removeLeftovers(folder, (name) => markIn(name, buildingPrefix), PATIENCE_MS);
    mkdirSync(building);
    refuseOthers(folder, building, buildingPrefix);
    writeFileSync(log, '', { mode: 0o600 });
  });
  onDisk(workTrouble, () => {
    removeTemporaryLeftovers(WORK, PATIENCE_MS);
    // The key in it is nobody else's.
    mkdirSync(work, { mode: 0o700 });
  });
}

/** Two bakes of one image would share its log, and the last would win. */
function refuseOthers(folder: string, building: string, prefix: string): void {
  const others = readdirSync(folder).filter(
    (name) => markIn(name, prefix) !== undefined && join(folder, name) !== building,
  );
  if (others.length === 0) return;
  const remedy = 'wait for it, or name another folder with --image';
  throw new Failure('image-busy', `another bake makes the same image (${join(folder, others[0] ?? '')}); ${remedy}`);
}
