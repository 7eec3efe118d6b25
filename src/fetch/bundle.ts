import {
  closeSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { create, Parser, type ReadEntry } from 'tar';
import { Failure } from '../diagnostics/failure.ts';
import { asFailure, onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { holdMark, releaseMark } from '../edges/run-mark.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { syncFolder } from '../edges/sync-folder.ts';
import { digestOf, type DigestText, type Lock, type LockedArtifact } from '../lock/lock.ts';
import { algorithmOf, Cache, cacheFolder } from './cache.ts';
import { Progress } from './progress.ts';

/** Of every file in a bundle, so that the same lock makes the same bundle. */
const TIME = new Date('2000-01-01T00:00:00Z');

const packTrouble = (path: string): DiskTrouble => ({
  code: 'output-unwritable',
  fact: `cannot write ${path}`,
  remedy: 'name a file in a folder that you can write to',
});

/**
 * Writes the cached files of a lock into one tar, each as `sha256/HEX`.
 * @throws Failure `output-unwritable`, `disk-full`
 */
export async function packBundle(lock: Lock, path: string, { env, stderr, signal }: Surroundings): Promise<void> {
  const cache = new Cache(cacheFolder(env));
  const names = [...new Set(lock.artifacts.map((artifact) => placeOf(digestOf(artifact))))].sort();
  const trouble = packTrouble(path);
  const mark = holdMark();
  const fresh = join(dirname(path), `.${basename(path)}-${mark}`);
  const progress = new Progress(stderr, 'packing', totalOf(lock));
  try {
    onDisk(trouble, () => mkdirSync(dirname(path), { recursive: true }));
    await using file = await open(fresh, 'wx', 0o644);
    // Owners and times of this machine are left out.
    const tar = create({ cwd: cache.folder, portable: true, mtime: TIME, noDirRecurse: true, strict: true }, names);
    for await (const chunk of tar as AsyncIterable<Uint8Array>) {
      signal.throwIfAborted();
      for (let written = 0; written < chunk.length;) {
        written += (await file.write(chunk, written)).bytesWritten;
      }
      progress.add(chunk.length);
    }
    await file.sync();
    onDisk(trouble, () => {
      renameSync(fresh, path);
      syncFolder(dirname(path));
    });
  } catch (error) {
    rmSync(fresh, { force: true });
    throw asFailure(error, trouble);
  } finally {
    progress.end();
    releaseMark(mark);
  }
}

/**
 * For where a bundle is to be packed: a forgotten name of it would cost the description that stands in its place.
 * @throws Failure `output-not-ours`, `output-unwritable`
 */
export function refuseOther(path: string): void {
  onDisk(packTrouble(path), () => refuseWhatIsNoBundle(path));
}

function refuseWhatIsNoBundle(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const start = Buffer.alloc(512);
  if (lstatSync(path).isFile()) {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, start);
    closeSync(descriptor);
  }
  // https://www.gnu.org/software/tar/manual/html_node/Standard.html
  const isBundle = /^sha(256|512)\//.test(start.toString('latin1')) && start.toString('latin1', 257, 262) === 'ustar';
  if (isBundle) return;
  const message = `${path} is there already and is no bundle; move it away, or name another file`;
  throw new Failure('output-not-ours', message);
}

/**
 * Brings the files of a bundle into the cache. A bundle comes from elsewhere: what the lock does not name is refused,
 * whatever it is called and wherever it would lead, and each file is compared with its digest.
 * @throws Failure `bundle-refused` with everything that is wrong with it, `cache-unusable`, `disk-full`
 */
export async function unpackBundle(lock: Lock, path: string, { env, stderr, signal }: Surroundings): Promise<void> {
  const cache = new Cache(cacheFolder(env));
  const known = new Map(lock.artifacts.map((artifact) => [placeOf(digestOf(artifact)), artifact]));
  const found = new Set<string>();
  const mistakes: string[] = [];
  const progress = new Progress(stderr, 'unpacking', totalOf(lock));
  const parser = new Parser();
  let taking = Promise.resolve();
  let open: ReadEntry | undefined;
  let failed: (error: unknown) => void = () => undefined;
  const refuse = (entry: ReadEntry, mistake: string): void => {
    mistakes.push(mistake);
    entry.resume();
  };
  parser.on('warn', (_code: string, message: string | Error) => mistakes.push(String(message)));
  parser.on('ignoredEntry', (entry: ReadEntry) => refuse(entry, `${JSON.stringify(entry.path)} in it is no file`));
  parser.on('entry', (entry: ReadEntry) => {
    const artifact = known.get(entry.path);
    if (artifact === undefined) {
      refuse(entry, `${JSON.stringify(entry.path)} in it is not in bake.lock`);
      return;
    }
    const mistake = mistakeIn(entry, artifact, found);
    if (mistake !== undefined) {
      refuse(entry, mistake);
      return;
    }
    found.add(entry.path);
    open = entry;
    taking = taking.then(() => take(entry, artifact));
    taking.catch(failed);
  });

  async function take(entry: ReadEntry, artifact: LockedArtifact): Promise<void> {
    const digest = digestOf(artifact);
    const part = await cache.openPart(`bundle${digest.replace(':', '')}`, algorithmOf(digest), signal);
    try {
      part.empty();
      for await (const chunk of entry as AsyncIterable<Uint8Array>) {
        part.append(chunk);
        progress.add(chunk.length);
      }
      if (part.digest() === digest) await cache.keep(part, digest);
      else mistakes.push(`${artifact.name} in it has ${part.digest()}, and ${digest} is wanted`);
    } finally {
      // Gone already where it was kept.
      part.remove();
      part.close();
    }
  }

  const stream = createReadStream(path, { highWaterMark: 1 << 20, signal });
  try {
    await new Promise((resolve, reject) => {
      failed = reject;
      stream.on('error', ({ message }) => reject(new Failure('bundle-refused', `${path} cannot be read: ${message}`)));
      parser.on('error', ({ message }: Error) => reject(refusal(path, [message])));
      parser.on('end', resolve);
      stream.pipe(parser);
    });
    await taking;
  } catch (error) {
    // Its rest will not come, and whoever reads it would wait for ever.
    open?.end();
    await taking.catch(() => undefined);
    signal.throwIfAborted();
    throw error;
  } finally {
    stream.destroy();
    progress.end();
  }
  if (mistakes.length > 0) throw refusal(path, mistakes);
}

/**
 * For what is to be unpacked.
 * @throws Failure `bundle-refused`
 */
export function refuseNoFile(path: string): void {
  const remedy = 'name what `bake fetch --pack` has made';
  const trouble = { code: 'bundle-refused', fact: `cannot read ${path}`, remedy } as const;
  const found = onDisk(trouble, () => statSync(path, { throwIfNoEntry: false }));
  if (found?.isFile() === true) return;
  const fact = found === undefined ? 'does not exist' : 'is no file';
  throw new Failure('bundle-refused', `${path} ${fact}; ${remedy}`);
}

/** Why an entry is not one of a bundle. */
function mistakeIn(entry: ReadEntry, artifact: LockedArtifact, found: Set<string>): string | undefined {
  const name = JSON.stringify(entry.path);
  if (entry.type !== 'File') return `${name} in it is no file`;
  if (entry.size !== artifact.size)
    return `${artifact.name} in it has ${entry.size} bytes, and ${artifact.size} are wanted`;
  return found.has(entry.path) ? `${name} is in it twice` : undefined;
}

function refusal(path: string, mistakes: readonly string[]): Failure {
  const list = [...new Set(mistakes)].map((mistake) => `\n  ${mistake}`).join('');
  return new Failure('bundle-refused', `${path} is refused; pack it again by \`bake fetch --pack\`:${list}`);
}

function placeOf(digest: DigestText): string {
  return digest.replace(':', '/');
}

function totalOf({ artifacts }: Lock): number {
  return artifacts.reduce((sum, { size }) => sum + size, 0);
}
