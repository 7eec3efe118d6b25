import { cpSync } from 'node:fs';
import { join } from 'node:path';

const guide = join(import.meta.dirname, '../../examples/guide');

/** Copies examples/guide to a folder, without the tokens that README's first command leaves there. */
export function copyGuide(folder: string): void {
  cpSync(guide, folder, { recursive: true, filter: (path) => !path.endsWith('.tokens.json') });
}
