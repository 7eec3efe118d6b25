import { resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { lockFileOf } from '../edges/lock-file.ts';
import { packBundle, refuseNoFile, refuseOther, unpackBundle } from '../fetch/bundle.ts';
import { Cache, cacheFolder } from '../fetch/cache.ts';
import { rememberFetch } from '../fetch/last-fetch.ts';
import { fetchArtifacts, type Fetched } from '../fetch/fetch-artifacts.ts';
import { layOut } from '../fetch/lay-out.ts';
import { digestOf, type Lock } from '../lock/lock.ts';
import { imageArtifacts } from '../lock/needed-artifacts.ts';
import type { Context } from './context.ts';
import { inputsOf, tellFetched, type FetchCommandOptions } from './tell-fetched.ts';
import { loadAndReport } from './load-and-report.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { placesOf } from './places-of.ts';
import { writeFirstLock } from './write-first-lock.ts';

/**
 * Fills the cache with what a description needs; then lays it out, or packs it, where that is asked for.
 * @returns the exit code
 * @throws Failure of the lock, the sources, the cache, the bundle or the output
 */
export async function fetchMissing(file: string, options: FetchCommandOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(file, options, context);
  if (loaded === undefined) return exitCodes.description;
  const [from, pack] = [options.from, options.pack].map((name) =>
    name === undefined ? undefined : resolve(context.cwd, name),
  );
  // Before anything is downloaded.
  if (from !== undefined) refuseNoFile(from);
  if (pack !== undefined) refuseOther(pack);
  const locked = loadLock(file, context);
  if (locked === undefined && from !== undefined) {
    const fact = `there is no ${lockFileOf(file)}, by which a bundle is checked`;
    throw new Failure('lock-missing', `${fact}; bring the one of where it was packed`, exitCodes.description);
  }
  const found = locked ?? (await writeFirstLock(file, loaded.cluster, context));
  const { cluster } = withLockOf(loaded, found);
  const { lock } = found;
  if (from !== undefined) await unpackBundle(lock, from, context);
  const everything = pack !== undefined;
  const places = placesOf(file, cluster, context);
  const fetched = await fetchArtifacts(lock, { ...places, everything, verify: options.verify ?? false }, context);
  if (pack !== undefined) await packBundle(lock, pack, context);
  if (options.output !== undefined) layOutImage(cluster, fetched, resolve(context.cwd, options.output));

  if (!everything) remember(resolve(context.cwd, file), lock, fetched, context);
  tellFetched(fetched, file, options, context);
  return exitCodes.done;
}

/** For the next time, when nothing has changed. */
function remember(path: string, lock: Lock, { files }: Fetched, context: Context): void {
  const inputs = inputsOf(path);
  if (inputs === undefined) return;
  const chosen = lock.artifacts.filter(({ name }) => files.has(name));
  rememberFetch(
    new Cache(cacheFolder(context.env)),
    path,
    inputs,
    chosen.map((artifact) => ({ name: artifact.name, digest: digestOf(artifact), size: artifact.size })),
  );
}

/** The image's own files, and what it starts from: plugins are where `packer init` puts them. */
function layOutImage(cluster: Cluster, { files }: Fetched, folder: string): void {
  const names = ['base-image', ...imageArtifacts(cluster).map(({ name }) => name)];
  const chosen = new Map([...files].filter(([name]) => names.includes(name)));
  // An archive of the pause image may have been there before.
  layOut(chosen, folder, new Set([...names, 'sandbox-image.tar']));
}
