import { dirname, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import type { Places } from '../fetch/sources-of.ts';
import type { Context } from './context.ts';

/** Where the downloads of a description may be had. */
export function placesOf(file: string, { downloads }: Cluster, { cwd }: Context): Places {
  return { folder: dirname(resolve(cwd, file)), mirrors: downloads.mirrors };
}
