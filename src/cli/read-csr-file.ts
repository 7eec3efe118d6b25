import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { csrItems } from '../csr/csr-items.ts';
import { Failure } from '../diagnostics/failure.ts';
import { readTextFile } from '../edges/read-text-file.ts';
import type { Context } from './context.ts';

/**
 * The requests that somebody saved, or `-` for stdin.
 * @throws Failure `csrs-unreadable`
 */
export async function readCsrFile(file: string, context: Context): Promise<readonly unknown[]> {
  const named = file === '-' ? 'what came by stdin' : file;
  const items = csrItems(parse(await textOf(file, context), named));
  if (items === undefined) throw unreadable(`${named} is no list of certificate signing requests`);
  return items;
}

async function textOf(file: string, { cwd, stdin }: Context): Promise<string> {
  if (file === '-') return readAll(stdin);
  const read = readTextFile(resolve(cwd, file));
  if (read.kind === 'failed') throw unreadable(`${file} ${read.reason}`);
  return read.text;
}

function parse(text: string, named: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(`${named} is not JSON`);
  }
}

function unreadable(fact: string): Failure {
  return new Failure('csrs-unreadable', `${fact}; \`kubectl get csr -o json\` prints one`);
}
