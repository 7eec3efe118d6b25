import { readFileSync } from 'node:fs';
import type { ReadFile } from '../description/inputs.ts';

/**
 * Reads a text file; a failure comes back in the words that follow a file's name in a message.
 * @param unpack for what may be packed
 */
export function readTextFile(path: string, unpack = (bytes: Buffer): Buffer => bytes): ReadFile {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(unpack(readFileSync(path))) };
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const words: Record<string, string> = {
    ENOENT: 'does not exist',
    EISDIR: 'is a folder',
    EACCES: 'may not be read',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
  };
  return words[code] ?? `cannot be read (${code === '' ? String(error) : code})`;
}
