import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { DigestText } from '../lock/lock.ts';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { ageOf, holdMark, isAbandoned, markPattern, releaseMark } from '../edges/run-mark.ts';
import { Part } from './part.ts';

/** A file whose bytes were compared with its digest gets this time, and anybody who writes to it gives it another. */
const VERIFIED = new Date('2000-01-01T00:00:00Z');

/** Parts that nobody came back for are removed after a week. */
const PART_LIFE_MS = 7 * 86_400_000;

/** A part that another machine writes to and that did not grow for so long is taken over. */
const PART_PATIENCE_MS = 600_000;

/**
 * The downloads of all clusters of a user, each under its digest: `sha256/HEX`, read-only. What is being downloaded lies
 * in `parts/KEY-MARK` until it is complete and compared; the mark is that of the process that writes it, so that two at
 * once have a part each, and the part of one that is gone is continued by the next.
 */
export class Cache {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  pathOf(digest: DigestText): string {
    return join(this.folder, digest.replace(':', '/'));
  }

  /** Whether a file is there and has not been touched since it was compared; costs one system call. */
  has(digest: DigestText, size: number): boolean {
    const path = this.pathOf(digest);
    const found = onDisk(this.trouble, () => lstatSync(path, { throwIfNoEntry: false }));
    return found?.isFile() === true && found.size === size && found.mtimeMs === VERIFIED.getTime();
  }

  /** Reads a file and compares it with its digest; one that is another is removed. */
  async verify(digest: DigestText, signal: AbortSignal): Promise<'good' | 'absent' | 'changed'> {
    const path = this.pathOf(digest);
    const found = onDisk(this.trouble, () => lstatSync(path, { throwIfNoEntry: false }));
    if (found === undefined) return 'absent';
    if (!found.isFile() || (await digestOfFile(path, algorithmOf(digest), signal)).digest !== digest) {
      onDisk(this.trouble, () => rmSync(path, { recursive: true, force: true }));
      return 'changed';
    }
    onDisk(this.trouble, () => {
      chmodSync(path, 0o444);
      utimesSync(path, VERIFIED, VERIFIED);
    });
    return 'good';
  }

  /**
   * A part to write a download to; that of a run which was cut off, where there is one.
   * @param key names what is downloaded
   */
  async openPart(key: string, algorithm: 'sha256' | 'sha512', signal: AbortSignal): Promise<Part> {
    const folder = join(this.folder, 'parts');
    onDisk(this.trouble, () => mkdirSync(folder, { recursive: true, mode: 0o755 }));
    const mark = holdMark();
    const path = join(folder, `${key}-${mark}`);
    onDisk(this.trouble, () => this.#adopt(folder, key, path));
    return Part.open(path, algorithm, { trouble: this.trouble, signal, release: () => releaseMark(mark) });
  }

  /** Moves a complete and compared part to its place. */
  async keep(part: Part, digest: DigestText): Promise<void> {
    const path = this.pathOf(digest);
    onDisk(this.trouble, () => mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 }));
    await part.moveTo(path, VERIFIED);
  }

  get trouble(): DiskTrouble {
    return {
      code: 'cache-unusable',
      fact: `cannot use the cache ${this.folder}`,
      remedy: 'make it writable for you, or name another folder with XDG_CACHE_HOME',
    };
  }

  /** Takes over the longest part of what runs that are gone have begun, and removes what nobody will want any more. */
  #adopt(folder: string, key: string, path: string): void {
    const pattern = new RegExp(`^([0-9a-z]+)-(${markPattern})$`);
    const mine: { other: string; size: number }[] = [];
    for (const name of readdirSync(folder)) {
      const [, itsKey, mark] = pattern.exec(name) ?? [];
      const other = join(folder, name);
      const age = () => ageOf(other);
      if (mark === undefined || !isAbandoned(mark, age, PART_PATIENCE_MS)) continue;
      if (itsKey === key) mine.push({ other, size: statSync(other, { throwIfNoEntry: false })?.size ?? 0 });
      else if (age() > PART_LIFE_MS) rmSync(other, { force: true });
    }
    mine.sort((a, b) => b.size - a.size);
    let adopted = false;
    for (const { other } of mine) {
      if (adopted) rmSync(other, { force: true });
      else adopted = renameIfThere(other, path);
    }
  }
}

/** https://specifications.freedesktop.org/basedir-spec/latest/ */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  // A relative one is to be ignored.
  return resolve(base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.cache'), 'bake');
}

/** By which a file is compared. */
export function algorithmOf(digest: DigestText): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/**
 * Reads a file to its end.
 * @param signal for Ctrl-C in the middle of it
 * @throws the system's errors
 */
export async function digestOfFile(
  path: string,
  algorithm: 'sha256' | 'sha512',
  signal: AbortSignal,
): Promise<{ digest: DigestText; size: number }> {
  const hash = createHash(algorithm);
  let size = 0;
  const descriptor = openSync(path, 'r');
  try {
    // A stream takes four times as long.
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let read = 0; (read = readSync(descriptor, buffer)) > 0; size += read) {
      hash.update(buffer.subarray(0, read));
      // For Ctrl-C.
      await setImmediate();
      signal.throwIfAborted();
    }
  } finally {
    closeSync(descriptor);
  }
  return { digest: `${algorithm}:${hash.digest('hex')}`, size };
}

/** @returns false when another run was quicker */
function renameIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
