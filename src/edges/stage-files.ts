import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { OutputFile } from '../compile/output-file.ts';
import { sha256 } from '../cluster/sha256.ts';
import { onDisk, type DiskTrouble } from './on-disk.ts';

/** What bake.json says beside the files. */
export interface Origin {
  /** bake's own version. */
  readonly bake: string;
  /** Each file that was read -> its SHA-256, in hex. */
  readonly input: Readonly<Record<string, string>>;
}

/**
 * Writes the files, and bake.json with the SHA-256 of each, into an empty folder. Each file is forgotten once it is
 * written, so that 40,000 need no more memory than 40. The calls are the synchronous ones, which take a third of the
 * time that promises take for small files.
 * @returns the SHA-256 of bake.json, and by that of everything
 */
export async function stageFiles(
  folder: string,
  files: Iterable<OutputFile>,
  { bake, input }: Origin,
  trouble: DiskTrouble,
  signal: AbortSignal,
): Promise<string> {
  const record = onDisk(trouble, () => new RecordFile(join(folder, 'bake.json')));
  try {
    const head = JSON.stringify({ bake, input }, null, 2).slice(0, -'\n}'.length);
    record.append(`${head},\n  "files": {`);
    let written = 0;
    let lastFolder = folder;
    for (const file of files) {
      onDisk(trouble, () => {
        const path = join(folder, file.path);
        if (dirname(path) !== lastFolder) mkdirSync((lastFolder = dirname(path)), { recursive: true, mode: 0o755 });
        writeWithMode(path, file);
        record.append(`${written === 0 ? '' : ','}\n    ${JSON.stringify(file.path)}: "${sha256(file.content)}"`);
      });
      // Without a pause now and then Ctrl-C would be heard only at the end.
      if (++written % 64 === 0) await setImmediate();
      signal.throwIfAborted();
    }
    return onDisk(trouble, () => record.end('\n  }\n}\n'));
  } finally {
    record.close();
  }
}

/** The mode is set, too, and not only asked for, since open() subtracts the umask. */
function writeWithMode(path: string, { mode, content }: OutputFile): void {
  const descriptor = openSync(path, 'wx', mode);
  try {
    fchmodSync(descriptor, mode);
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

/** A file that grows by small pieces, written in large ones, and digested on the way. */
class RecordFile {
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #pending = '';

  constructor(path: string) {
    this.#descriptor = openSync(path, 'wx', 0o644);
    fchmodSync(this.#descriptor, 0o644);
  }

  append(text: string): void {
    this.#pending += text;
    if (this.#pending.length > 65_536) this.#flush();
  }

  end(text: string): string {
    this.append(text);
    this.#flush();
    return this.#hash.digest('hex');
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    writeFileSync(this.#descriptor, this.#pending);
    this.#pending = '';
  }
}
