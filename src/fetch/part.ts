import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  ftruncateSync,
  fsync,
  futimesSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { syncFolder } from '../edges/sync-folder.ts';
import type { DigestText } from '../lock/lock.ts';

interface PartOptions {
  readonly trouble: DiskTrouble;
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** A download in the making: a file that grows, and the digest of what is in it. */
export class Part {
  /** Bytes that are in it. */
  length = 0;
  readonly #path: string;
  readonly #algorithm: 'sha256' | 'sha512';
  readonly #descriptor: number;
  readonly #options: PartOptions;
  #hash: Hash;

  private constructor(path: string, algorithm: 'sha256' | 'sha512', descriptor: number, options: PartOptions) {
    this.#path = path;
    this.#algorithm = algorithm;
    this.#descriptor = descriptor;
    this.#options = options;
    this.#hash = createHash(algorithm);
  }

  /** Opens a part, and reads what is in it already. */
  static async open(path: string, algorithm: 'sha256' | 'sha512', options: PartOptions): Promise<Part> {
    const descriptor = onDisk(options.trouble, () => openSync(path, 'a+', 0o600));
    const part = new Part(path, algorithm, descriptor, options);
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (;;) {
      const read = onDisk(options.trouble, () => readSync(descriptor, buffer, 0, buffer.length, part.length));
      if (read === 0) return part;
      part.#hash.update(buffer.subarray(0, read));
      part.length += read;
      await setImmediate();
    }
  }

  /**
   * The synchronous calls: a page cache takes them at once, and promises for each chunk would double the time. A thread
   * that hashes and writes takes longer, too, for all that it has to be given.
   */
  append(chunk: Uint8Array): void {
    onDisk(this.#options.trouble, () => {
      for (let written = 0; written < chunk.length;) {
        written += writeSync(this.#descriptor, chunk, written, chunk.length - written);
      }
    });
    this.#hash.update(chunk);
    this.length += chunk.length;
  }

  /** Of what is in it now. */
  digest(): DigestText {
    return `${this.#algorithm}:${this.#hash.copy().digest('hex')}`;
  }

  /** Starts anew. */
  empty(): void {
    onDisk(this.#options.trouble, () => ftruncateSync(this.#descriptor));
    this.#hash = createHash(this.#algorithm);
    this.length = 0;
  }

  /** Gives it its place for good: read-only, on the disk, and with a time of its own. Whoever looks finds all of it. */
  async moveTo(path: string, time: Date): Promise<void> {
    const { trouble } = this.#options;
    onDisk(trouble, () => {
      fchmodSync(this.#descriptor, 0o444);
      futimesSync(this.#descriptor, time, time);
    });
    await promisify(fsync)(this.#descriptor);
    onDisk(trouble, () => {
      renameSync(this.#path, path);
      syncFolder(dirname(path));
    });
  }

  /** Ends the writing; what is there stays for a later run. */
  close(): void {
    closeSync(this.#descriptor);
    this.#options.release();
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
