import { packerPlatforms, type PackerPlatform } from '../catalog/packer-plugins.ts';
import { arch, platform } from 'node:os';
import type { Surroundings } from '../edges/surroundings.ts';
import { digestOf, type Lock, type LockedArtifact } from '../lock/lock.ts';
import { Cache, cacheFolder } from './cache.ts';
import type { Places } from './sources-of.ts';

export interface FetchOptions extends Places {
  /** Also the files of other machines than the one that runs this. */
  readonly everything?: boolean;
  /** Compare the cached files again, instead of trusting their size and time. */
  readonly verify?: boolean;
}

export interface Fetched {
  /** Name in the lock -> path in the cache; read-only files, which stay as they are. */
  readonly files: ReadonlyMap<string, string>;
  /** How many of them had to be downloaded, and their bytes. */
  readonly downloaded: number;
  readonly bytes: number;
}

/**
 * Brings the files of a lock into the cache, those that are not there yet: all that this machine needs to bake an image.
 * With a full cache it loads no network code and asks nobody.
 * @throws Failure `fetch-failed`, `cache-unusable`, `disk-full`, `proxy-unusable`
 */
export async function fetchArtifacts(lock: Lock, options: FetchOptions, surroundings: Surroundings): Promise<Fetched> {
  const cache = new Cache(cacheFolder(surroundings.env));
  const wanted = lock.artifacts.filter((artifact) => options.everything === true || isForHere(artifact));
  const missing: LockedArtifact[] = [];
  for (const artifact of wanted) {
    if (!(await isCached(cache, artifact, options, surroundings))) missing.push(artifact);
  }
  if (missing.length > 0) {
    const { downloadAll } = await import('./download-all.ts');
    await downloadAll(missing, cache, options, surroundings);
  }
  return {
    files: new Map(wanted.map((artifact) => [artifact.name, cache.pathOf(digestOf(artifact))])),
    downloaded: missing.length,
    bytes: missing.reduce((sum, { size }) => sum + size, 0),
  };
}

async function isCached(
  cache: Cache,
  artifact: LockedArtifact,
  { verify = false }: FetchOptions,
  { stderr, signal }: Surroundings,
): Promise<boolean> {
  const digest = digestOf(artifact);
  if (!verify && cache.has(digest, artifact.size)) return true;
  const state = await cache.verify(digest, signal);
  if (state === 'changed') {
    stderr.write(`warning: ${artifact.name} in the cache had been changed, and is removed: ${cache.pathOf(digest)}\n`);
  }
  return state === 'good';
}

function isForHere({ os, architecture }: LockedArtifact): boolean {
  const here = packerPlatform();
  return os === undefined || (os === here?.os && architecture === here.architecture);
}

/** Undefined where upstream has no plugins for this machine. */
export function packerPlatform(): PackerPlatform | undefined {
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  return packerPlatforms.find((known) => known.os === platform() && known.architecture === architecture);
}
