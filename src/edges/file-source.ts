import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SourceTrouble, type OpenedSource, type OpenOptions } from './source-trouble.ts';

/** @throws SourceTrouble */
export async function openFile(path: string, { offset, signal }: OpenOptions): Promise<OpenedSource> {
  const size = await sizeOfFile(path);
  const start = offset > size ? 0 : offset;
  const stream = createReadStream(path, { start, highWaterMark: 1 << 20, signal });
  return { offset: start, size, tag: undefined, body: reading(stream, signal) };
}

/** @throws SourceTrouble */
export async function sizeOfFile(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    throw troubleOf(error);
  }
  throw new SourceTrouble('it is no file', { again: false });
}

async function* reading(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    signal.throwIfAborted();
    throw troubleOf(error);
  }
}

function troubleOf(error: unknown): SourceTrouble {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new SourceTrouble(missing ? 'there is no such file' : message, {
    again: code === 'EIO' || code === 'ESTALE',
    missing,
  });
}
