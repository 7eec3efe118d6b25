import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes names that were just given in a folder survive a power cut. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
