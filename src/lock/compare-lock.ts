import { findOperatingSystem } from '../catalog/operating-systems.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { digestOf, type Lock, type LockedArtifact } from './lock.ts';
import { neededArtifacts, type NeededArtifact } from './needed-artifacts.ts';

/** What the description wants and the lock does not have, one line each. */
export function findLacks(cluster: Cluster, lock: Lock): string[] {
  const lacks = neededArtifacts(cluster).flatMap((needed) => lackOf(needed, entryOf(lock, needed.name)) ?? []);
  const image = wantedSandboxImage(cluster);
  if (image !== undefined && lock.sandboxImage?.reference !== image) {
    lacks.push(`the pause image is ${image}, ${there(lock.sandboxImage?.reference)}`);
  }
  const ami = wantedAmi(cluster);
  if (ami !== undefined && !isSameAmi(ami, lock.ami)) {
    const { region, namePattern } = ami;
    lacks.push(
      `the AMI is the newest ${namePattern} in ${region}, ${there(lock.ami && `${lock.ami.namePattern} in ${lock.ami.region}`)}`,
    );
  }
  return lacks;
}

/** What the lock has and the description does not want any more. */
export function findLeftovers(cluster: Cluster, lock: Lock): string[] {
  const names = neededArtifacts(cluster).map(({ name }) => name);
  const left = lock.artifacts.filter(({ name }) => !names.includes(name)).map(({ name }) => name);
  if (lock.sandboxImage !== undefined && wantedSandboxImage(cluster) === undefined) left.push('the pause image');
  if (lock.ami !== undefined && wantedAmi(cluster) === undefined) left.push('the AMI');
  return left.map((what) => `${what} is needed no more, and in bake.lock`);
}

/** Why an entry is not what is needed, undefined when it is. */
export function lackOf(needed: NeededArtifact, entry: LockedArtifact | undefined): string | undefined {
  const { name, url, expected } = needed;
  if (entry === undefined) return `${name} is ${url}, and not in bake.lock`;
  if (entry.url !== url) return `${name} is ${url}, in bake.lock ${entry.url}`;
  if (expected.kind === 'digest' && expected.by === 'description' && expected.digest !== digestOf(entry)) {
    return `${name} has ${expected.digest} in the description, in bake.lock ${digestOf(entry)}`;
  }
  const same = entry.component === needed.component && entry.version === needed.version && entry.os === needed.os;
  return same && entry.architecture === needed.architecture ? undefined : `${name} is told of differently in bake.lock`;
}

/** The entry of that name, undefined where the lock has none. */
export function entryOf(lock: Lock, name: string): LockedArtifact | undefined {
  return lock.artifacts.find((entry) => entry.name === name);
}

/** Undefined where nobody has to ask a registry: an archive is locked as a file, and a digest is in the name. */
export function wantedSandboxImage({ containerd }: Cluster): string | undefined {
  const { sandboxImage, sandboxImageArchive } = containerd;
  return sandboxImageArchive.kind === 'none' && !sandboxImage.includes('@') ? sandboxImage : undefined;
}

export interface WantedAmi {
  readonly region: string;
  readonly owner: string;
  readonly namePattern: string;
}

/** Undefined unless the image is an AMI. */
export function wantedAmi({ image, architecture }: Cluster): WantedAmi | undefined {
  if (image.source !== 'amazon-ebs') return undefined;
  const { ownerId, namePattern } = findOperatingSystem(image.os).ami;
  return { region: image.amazonEbs.region, owner: ownerId, namePattern: namePattern[architecture] };
}

/** Whether a lock's AMI was looked for in the same way. */
export function isSameAmi(wanted: WantedAmi, { region, owner, namePattern }: Partial<WantedAmi> = {}): boolean {
  return wanted.region === region && wanted.owner === owner && wanted.namePattern === namePattern;
}

function there(what: string | undefined): string {
  return what === undefined ? 'and not in bake.lock' : `in bake.lock ${what}`;
}
