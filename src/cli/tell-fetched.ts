import { readFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { lockFileOf } from '../edges/lock-file.ts';
import type { Fetched } from '../fetch/fetch-artifacts.ts';
import type { Context } from './context.ts';
import { printJson } from './print-json.ts';
import { version } from './version.ts';

export interface FetchCommandOptions {
  readonly output?: string;
  readonly verify?: true;
  readonly pack?: string;
  readonly from?: string;
  readonly json?: true;
}

/** What the files of a fetch depend on; undefined where there is no description or no lock to be read. */
export function inputsOf(path: string): (string | Uint8Array)[] | undefined {
  try {
    return [version, platform(), arch(), readFileSync(path), readFileSync(lockFileOf(path))];
  } catch {
    return undefined;
  }
}

/** Says what came and where it is: on stdout as JSON, else on stderr. */
export function tellFetched(
  { files, downloaded, bytes }: Fetched,
  file: string,
  { output, pack, json }: FetchCommandOptions,
  context: Context,
): void {
  if (json) {
    printJson({ good: true, file, downloaded, bytes, files: Object.fromEntries(files) }, context);
    return;
  }
  const came = downloaded === 0 ? 'all were there' : `${downloaded} came, ${(bytes / 1e6).toFixed(1)} MB`;
  const where = [output, pack].filter((path) => path !== undefined).map((path) => `; wrote ${path}`);
  context.stderr.write(`${files.size} files in the cache: ${came}${where.join('')}\n`);
}
