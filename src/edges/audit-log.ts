import { appendFileSync } from 'node:fs';
import { onDisk } from './on-disk.ts';

/**
 * A file that lines are added to, for its owner alone where it is new. It is opened for each line, so that a log that is
 * rotated goes on under its name.
 * @returns adds a line; @throws Failure `output-unwritable`, `disk-full`, as does this where the file cannot be opened
 */
export function auditLog(path: string): (line: string) => void {
  const append = (line: string): void =>
    onDisk({ code: 'output-unwritable', fact: `cannot write ${path}`, remedy: 'correct --audit-log' }, () => {
      appendFileSync(path, line, { mode: 0o600 });
    });
  append('');
  return append;
}
