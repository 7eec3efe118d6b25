import { resolve } from 'node:path';
import { exitCodes } from '../diagnostics/failure.ts';
import { Cache, cacheFolder } from '../fetch/cache.ts';
import { recallFetch } from '../fetch/last-fetch.ts';
import type { Context } from './context.ts';
import { inputsOf, tellFetched, type FetchCommandOptions } from './tell-fetched.ts';

/**
 * Fills the cache with what a description needs. Where it is full already, it takes no longer than to see that.
 * @returns the exit code
 * @throws Failure of the lock, the sources, the cache, the bundle or the output
 */
export async function fetchCommand(file: string, options: FetchCommandOptions, context: Context): Promise<number> {
  const path = resolve(context.cwd, file);
  const { output, pack, from, verify } = options;
  const inputs = [output, pack, from, verify].every((option) => option === undefined) ? inputsOf(path) : undefined;
  const files = inputs && recallFetch(new Cache(cacheFolder(context.env)), path, inputs);
  if (files === undefined) return (await import('./fetch-missing.ts')).fetchMissing(file, options, context);
  tellFetched({ files, downloaded: 0, bytes: 0 }, file, options, context);
  return exitCodes.done;
}
