import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';

/**
 * Compares a text with the file that says what it must be. `UPDATE=1` rewrites the file and still fails, so that no
 * change is approved by accident.
 */
export function expectFile(path: string, actual: string): void {
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (actual === expected) return;
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
  }
  const hint = 'UPDATE=1 rewrites it; read the change with git diff';
  assert.equal(actual, expected, `${relative(process.cwd(), path)} differs (${hint})`);
}
