import { createHash } from 'node:crypto';
import { Failure } from '../diagnostics/failure.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Sources } from '../edges/sources.ts';
import type { DigestText } from '../lock/lock.ts';
import { algorithmOf, type Cache } from './cache.ts';
import type { Part } from './part.ts';
import { trySources, type Refusal } from './try-sources.ts';

/** Bytes per second below which another source is asked, where there is one. */
const SLOWEST = 20_000;

export interface Download {
  /** Tried in this order. */
  readonly sources: readonly string[];
  /** Undefined: whatever comes. */
  readonly digest: DigestText | undefined;
  /** Bytes; undefined where nobody knows. */
  readonly size: number | undefined;
}

export interface Downloader {
  readonly cache: Cache;
  readonly reader: Sources;
  readonly signal: AbortSignal;
  /** Hears of bytes that came; a negative number where they have to come again. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Brings a file into the cache. What comes is compared with its digest on the way, and what is another file is not kept.
 * @throws NoSource, Failure of the disk
 */
export async function download(
  { sources, digest, size }: Download,
  { cache, reader, signal, onBytes }: Downloader,
): Promise<{ digest: DigestText; size: number; refusals: readonly Refusal[] }> {
  const key = digest?.replace(':', '') ?? `first${createHash('sha256').update(sources.join('\n')).digest('hex')}`;
  const part = await cache.openPart(key, digest === undefined ? 'sha256' : algorithmOf(digest), signal);
  // What a former run left of something that nobody can compare may be of another version.
  if (digest === undefined) part.empty();
  onBytes(part.length);
  try {
    const begun: Begun = { pieces: part.length > 0 ? 2 : 0, from: undefined, tag: undefined };
    const { value: found, refusals } = await trySources(
      sources,
      reader.patience,
      signal,
      (source) => receive(source, part, begun),
      () => part.length,
    );
    await cache.keep(part, found);
    return { digest: found, size: part.length, refusals };
  } catch (error) {
    // On a full disk half a file is in the way of others; anywhere else the next run goes on from there.
    if (error instanceof Failure || part.length === 0) part.remove();
    throw error;
  } finally {
    part.close();
  }

  async function receive(source: string, part: Part, begun: Begun): Promise<DigestText> {
    const tag = begun.from === source ? begun.tag : undefined;
    // Nothing says that the rest from elsewhere belongs to the beginning that we have, but the digest will.
    if (part.length > 0 && digest === undefined && tag === undefined) startAnew(part, begun);
    if (part.length !== size) {
      const opened = await reader.open(source, { offset: part.length, tag, signal });
      if (opened.offset !== part.length) startAnew(part, begun);
      refuseSize(opened.size);
      begun.pieces++;
      begun.from = source;
      begun.tag = opened.tag;
      const refuseSlow = source === sources.at(-1) ? () => undefined : paceKeeper(reader.patience.stallMs);
      for await (const chunk of opened.body) {
        refuseSlow(chunk.length);
        if (size !== undefined && part.length + chunk.length > size) throw tooLong(part, begun);
        part.append(chunk);
        onBytes(chunk.length);
      }
      const expected = size ?? opened.size;
      if (expected !== undefined && part.length < expected) {
        throw new SourceTrouble(`it ended after ${part.length} of ${expected} bytes`, { again: true });
      }
    }
    if (part.length === 0) throw new SourceTrouble('its file is empty', { again: false });
    const got = part.digest();
    if (digest === undefined || got === digest) return got;
    const { pieces } = begun;
    startAnew(part, begun);
    const message = `it is not the file that was meant: it has ${got}, and ${digest} is wanted`;
    // Pieces of two versions make a third: all of it from one place may be right.
    throw new SourceTrouble(message, { again: pieces > 1 });
  }

  function refuseSize(said: number | undefined): void {
    if (size === undefined || said === undefined || said === size) return;
    throw new SourceTrouble(`it says that the file has ${said} bytes, and ${size} are wanted`, { again: true });
  }

  function tooLong(part: Part, begun: Begun): SourceTrouble {
    startAnew(part, begun);
    return new SourceTrouble(`it sends more than the ${String(size)} bytes that are wanted`, { again: true });
  }

  function startAnew(part: Part, begun: Begun): void {
    onBytes(-part.length);
    part.empty();
    begun.pieces = 0;
    begun.from = undefined;
    begun.tag = undefined;
  }
}

/** @returns what hears of bytes that came, and throws SourceTrouble when too few came for so long */
function paceKeeper(windowMs: number): (bytes: number) => void {
  let since = performance.now();
  let came = 0;
  return (bytes) => {
    came += bytes;
    const ms = performance.now() - since;
    if (ms < windowMs) return;
    const rate = (came / ms) * 1000;
    if (rate < SLOWEST) {
      throw new SourceTrouble(`it is slow: ${(rate / 1000).toFixed(1)} kB in a second`, { again: false });
    }
    since += ms;
    came = 0;
  };
}

/** How a part came to be what it is. */
interface Begun {
  pieces: number;
  from: string | undefined;
  tag: string | undefined;
}
