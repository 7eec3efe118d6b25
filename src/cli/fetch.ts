import { dirname, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import { lockFileOf, writeLockFile } from '../edges/lock-file.ts';
import { readPackageFiles } from '../edges/read-package-files.ts';
import { fetchArtifacts, type Fetched } from '../fetch/fetch-artifacts.ts';
import { layOut } from '../fetch/lay-out.ts';
import { formatLock } from '../lock/lock-text.ts';
import type { Lock } from '../lock/lock.ts';
import { imageArtifacts } from '../lock/needed-artifacts.ts';
import { Templates } from '../templates/templates.ts';
import type { Context } from './context.ts';
import { loadDescription } from './load-description.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { diagnosticsAsJson, reportDiagnostics } from './report-diagnostics.ts';

export interface FetchCommandOptions {
  readonly output?: string;
  readonly verify?: true;
  readonly pack?: string;
  readonly from?: string;
  readonly json?: true;
}

/**
 * Fills the cache with what a description needs; then lays it out, or packs it, where that is asked for.
 * @returns the exit code
 * @throws Failure of the lock, the sources, the cache, the bundle or the output
 */
export async function fetchCommand(file: string, options: FetchCommandOptions, context: Context): Promise<number> {
  const loaded = loadDescription(file, new Templates(readPackageFiles(context.packageRoot)), context);
  if (!options.json) reportDiagnostics(file, loaded, context);
  const { cluster } = loaded;
  if (cluster === undefined) {
    if (options.json) print({ file, good: false, diagnostics: diagnosticsAsJson(file, loaded.diagnostics) }, context);
    return exitCodes.description;
  }

  const before = loadLock(file, context);
  withLockOf(cluster, before);
  const lock = before?.lock ?? (await firstLock(file, cluster, context));
  if (options.from !== undefined) {
    const { unpackBundle } = await import('../fetch/bundle.ts');
    await unpackBundle(lock, resolve(context.cwd, options.from), context);
  }
  const folder = dirname(resolve(context.cwd, file));
  const everything = options.pack !== undefined;
  const places = { folder, mirrors: cluster.downloads.mirrors };
  const fetched = await fetchArtifacts(lock, { ...places, everything, verify: options.verify ?? false }, context);
  if (options.pack !== undefined) {
    const { packBundle } = await import('../fetch/bundle.ts');
    await packBundle(lock, resolve(context.cwd, options.pack), context);
  }
  if (options.output !== undefined) layOutImage(cluster, fetched, resolve(context.cwd, options.output));

  if (options.json) {
    const { files, downloaded, bytes } = fetched;
    print({ file, downloaded, bytes, files: Object.fromEntries(files) }, context);
  } else {
    context.stderr.write(sentence(fetched, options));
  }
  return exitCodes.done;
}

async function firstLock(file: string, cluster: Cluster, context: Context): Promise<Lock> {
  const { makeLock } = await import('../fetch/make-lock.ts');
  const path = resolve(context.cwd, file);
  const lock = await makeLock(
    cluster,
    undefined,
    { folder: dirname(path), mirrors: cluster.downloads.mirrors },
    context,
  );
  writeLockFile(lockFileOf(path), formatLock(lock));
  context.stderr.write(`there was no ${lockFileOf(file)}: wrote it; keep it with the description\n`);
  return lock;
}

/** The image's own files only: the rest is for the machine that runs Packer. */
function layOutImage(cluster: Cluster, { files }: Fetched, folder: string): void {
  const names = imageArtifacts(cluster).map(({ name }) => name);
  const chosen = new Map([...files].filter(([name]) => names.includes(name)));
  // An archive of the pause image may have been there before.
  layOut(chosen, folder, new Set([...names, 'sandbox-image.tar']));
}

function sentence({ files, downloaded, bytes }: Fetched, { output, pack }: FetchCommandOptions): string {
  const came = downloaded === 0 ? 'all were there' : `${downloaded} came, ${(bytes / 1e6).toFixed(1)} MB`;
  const where = [output, pack].filter((path) => path !== undefined).map((path) => `; wrote ${path}`);
  return `${files.size} files in the cache: ${came}${where.join('')}\n`;
}

function print(value: object, { stdout }: Context): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
