import { gzipSync } from 'fflate';

/** fflate, not zlib: zlib's bytes differ between processors and between releases of Node. */
export function gzip(text: string): Uint8Array {
  return gzipSync(Buffer.from(text), { level: 9, mtime: 0 });
}
