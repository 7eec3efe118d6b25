import { join } from 'node:path';
import pMap from 'p-map';
import type { Cluster } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';
import { imageDigest, manifestUrlOf } from '../edges/image-digest.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { Sources, usualPatience } from '../edges/sources.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { entryOf, isSameAmi, lackOf, wantedAmi, wantedSandboxImage } from '../lock/compare-lock.ts';
import { findInList } from '../lock/find-in-list.ts';
import { isLocal, type DigestText, type Lock, type LockedArtifact } from '../lock/lock.ts';
import { neededArtifacts, type NeededArtifact } from '../lock/needed-artifacts.ts';
import { Cache, cacheFolder, digestOfFile } from './cache.ts';
import { CONCURRENCY, listed, untilAllDone, warningsOf } from './download-all.ts';
import { download } from './download.ts';
import { Progress } from './progress.ts';
import { sourcesOf, type Places } from './sources-of.ts';
import { NoSource, trySources, type Refusal } from './try-sources.ts';

/**
 * Finds out what the lock of a description must say. Where a digest is known before, a file's size is asked for and
 * nothing more; what is not known is downloaded into the cache.
 * @param before its entries are kept as they are, as long as they are what is needed
 * @throws Failure `lock-failed` with everything that cannot be locked
 */
export async function makeLock(
  cluster: Cluster,
  before: Lock | undefined,
  places: Places,
  surroundings: Surroundings,
): Promise<Lock> {
  const { env, stderr, signal, patience = usualPatience } = surroundings;
  const needed = neededArtifacts(cluster);
  const isOpen = (one: NeededArtifact) =>
    // Whoever changes a file of their own does not change its name.
    before === undefined || isLocal(one.url) || lackOf(one, entryOf(before, one.name)) !== undefined;
  const open = needed.filter(isOpen);
  const reader = new Sources(env, patience);
  // How much will come nobody knows yet, so that there is no bar.
  const screen = { write: (text: string) => stderr.write(text) };
  const progress = new Progress(screen, `locking ${open.length} ${open.length === 1 ? 'file' : 'files'}`, 0);
  const failures: { name: string; refusals: readonly Refusal[] }[] = [];
  const attempt = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await work();
      progress.say(`locked ${name}`);
      return result;
    } catch (error) {
      if (!(error instanceof NoSource)) throw error;
      failures.push({ name, refusals: error.refusals });
      return undefined;
    }
  };
  try {
    return await untilAllDone(signal, async (all) => {
      const locker = new Locker(places, new Cache(cacheFolder(env)), reader, all);
      const image = wantedSandboxImage(cluster);
      const ami = wantedAmi(cluster);
      const [found, sandboxImage, lockedAmi] = await Promise.all([
        pMap(open, (one) => attempt(one.name, () => locker.lock(one)), { concurrency: CONCURRENCY, signal: all }),
        image === undefined || before?.sandboxImage?.reference === image
          ? before?.sandboxImage
          : attempt('the pause image', () => locker.lockImage(image, cluster.architecture)),
        ami === undefined || isSameAmi(ami, before?.ami)
          ? before?.ami
          : attempt('the AMI', () => locker.lockAmi({ ...ami, architecture: cluster.architecture })),
      ]);
      for (const warning of locker.warnings.sort()) stderr.write(warning);
      refuseFailures(failures);
      const fresh = new Map(found.map((entry, index) => [open[index]?.name, entry]));
      return {
        version: 1,
        artifacts: needed.flatMap(({ name }) => fresh.get(name) ?? (before && entryOf(before, name)) ?? []),
        ...(image === undefined || sandboxImage === undefined ? {} : { sandboxImage }),
        ...(ami === undefined || lockedAmi === undefined ? {} : { ami: lockedAmi }),
      };
    });
  } finally {
    progress.end();
    await reader.close();
  }
}

function refuseFailures(failures: readonly { name: string; refusals: readonly Refusal[] }[]): void {
  if (failures.length === 0) return;
  const what = failures.length === 1 ? 'one thing' : `${failures.length} things`;
  const remedy = 'no bake.lock is written: see to the sources, or name a mirror under downloads';
  throw new Failure('lock-failed', `${what} could not be locked; ${remedy}${listed(failures)}`);
}

class Locker {
  readonly warnings: string[] = [];
  readonly #places: Places;
  readonly #cache: Cache;
  readonly #reader: Sources;
  readonly #signal: AbortSignal;
  readonly #lists = new Map<string, Promise<string>>();

  constructor(places: Places, cache: Cache, reader: Sources, signal: AbortSignal) {
    this.#places = places;
    this.#cache = cache;
    this.#reader = reader;
    this.#signal = signal;
  }

  async lock(needed: NeededArtifact): Promise<LockedArtifact> {
    const { name, component, version, os, architecture, url } = needed;
    const { digest, size } = await this.#find(needed);
    const hex = digest.slice('sha256:'.length);
    return {
      name,
      component,
      ...(version === undefined ? {} : { version }),
      ...(os === undefined ? {} : { os }),
      architecture,
      url,
      size,
      ...(digest.startsWith('sha512:') ? { sha512: hex } : { sha256: hex }),
    };
  }

  async lockImage(reference: string, architecture: string): Promise<{ reference: string; digest: string }> {
    const digest = await this.#ask(manifestUrlOf(reference), () =>
      imageDigest(this.#reader.http, reference, architecture, this.#signal),
    );
    return { reference, digest };
  }

  async lockAmi(wanted: { region: string; owner: string; namePattern: string; architecture: string }) {
    const { region, owner, namePattern } = wanted;
    const { newestAmi } = await import('../edges/newest-ami.ts');
    const found = await this.#ask(`EC2 in ${region}`, () => newestAmi(this.#reader.http, wanted, this.#signal));
    return { region, owner, namePattern, ...found };
  }

  async #find({ name, url, expected }: NeededArtifact): Promise<{ digest: DigestText; size: number }> {
    const digest =
      expected.kind === 'digest'
        ? expected.digest
        : expected.kind === 'list'
          ? await this.#digestInList(expected.url, url)
          : undefined;
    const sources = sourcesOf(url, this.#places, digest !== undefined);
    const [first = ''] = sources;
    if (isLocal(url)) {
      const compared = await this.#ask(first, () => this.#readLocal(url));
      if (digest === undefined || compared.digest === digest) return compared;
      const reason = `it is not the file that was meant: it has ${compared.digest}, and ${digest} is wanted`;
      throw new NoSource([{ source: first, reason, missing: false }]);
    }
    if (digest !== undefined) {
      const size = await this.#size(sources);
      if (size !== undefined && size > 0) return { digest, size };
    }
    const { cache, reader, signal } = { cache: this.#cache, reader: this.#reader, signal: this.#signal };
    const onBytes = (): void => undefined;
    const got = await download({ sources, digest, size: undefined }, { cache, reader, signal, onBytes });
    this.warnings.push(...warningsOf(name, got.refusals));
    return got;
  }

  async #size(sources: readonly string[]): Promise<number | undefined> {
    const size = (source: string) => this.#reader.size(source, this.#signal);
    return (await trySources(sources, this.#reader.patience, this.#signal, size)).value;
  }

  /** A list is asked for once, however many files it names. */
  async #digestInList(list: string, url: string): Promise<DigestText> {
    const sources = sourcesOf(list, this.#places, false);
    let text = this.#lists.get(list);
    if (text === undefined) {
      const read = (source: string) => this.#reader.text(source, this.#signal);
      text = trySources(sources, this.#reader.patience, this.#signal, read).then(({ value }) => value);
      this.#lists.set(list, text);
    }
    const fileName = decodeURIComponent(url.replace(/[?#].*$/, '').replace(/^.*\//, ''));
    const found = findInList(await text, fileName);
    if (found !== undefined) return found;
    throw new NoSource([{ source: list, reason: `it does not name ${fileName}`, missing: false }]);
  }

  async #readLocal(path: string): Promise<{ digest: DigestText; size: number }> {
    try {
      const compared = await digestOfFile(join(this.#places.folder, path), 'sha256', this.#signal);
      if (compared.size > 0) return compared;
    } catch (error) {
      this.#signal.throwIfAborted();
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      throw new SourceTrouble(missing ? 'there is no such file' : (error as Error).message, { again: false, missing });
    }
    throw new SourceTrouble('it is empty', { again: false });
  }

  async #ask<T>(source: string, work: () => Promise<T>): Promise<T> {
    return (await trySources([source], this.#reader.patience, this.#signal, work)).value;
  }
}
