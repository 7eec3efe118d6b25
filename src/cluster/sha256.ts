import { createHash } from 'node:crypto';

/** In hex, as sha256sum prints it. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
