import type { OutputFile } from '../compile/output-file.ts';
import type { Context } from './context.ts';

const PROGRESS_AFTER_MS = 1000;

/** Passes files on and counts them; on a terminal it shows the count once that takes longer than a second. */
export function countFiles(
  files: Iterable<OutputFile>,
  { stderr, now }: Context,
): { readonly files: Iterable<OutputFile>; readonly count: () => number } {
  let count = 0;
  const start = now().getTime();

  function* pass(): Iterable<OutputFile> {
    let shown = false;
    try {
      for (const file of files) {
        yield file;
        count++;
        if (count % 500 !== 0 || stderr.isTTY !== true || now().getTime() - start < PROGRESS_AFTER_MS) continue;
        stderr.write(`\r${count} files`);
        shown = true;
      }
    } finally {
      // Also when whoever takes the files gives up: what they say then needs a line of its own.
      if (shown) stderr.write('\r\u001b[K');
    }
  }

  return { files: pass(), count: () => count };
}
