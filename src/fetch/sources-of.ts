import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isLocal } from '../lock/lock.ts';

export interface Places {
  /** Folder of the description: URLs without a scheme are paths from there. */
  readonly folder: string;
  readonly mirrors: readonly string[];
}

/**
 * Where a file may be had: at MIRROR/HOST/PATH of each mirror, then where its URL says.
 * @param pinned whether a digest is known to compare it with; what is believed as it comes is not read by plain HTTP
 *   from a mirror
 */
export function sourcesOf(url: string, { folder, mirrors }: Places, pinned: boolean): string[] {
  if (isLocal(url)) return [pathToFileURL(join(folder, url)).href];
  const { protocol, host, pathname } = new URL(url);
  if (protocol === 'file:' || host === '') return [url];
  const usable = mirrors.filter((mirror) => pinned || !mirror.startsWith('http:'));
  return [...usable.map((mirror) => `${mirror.replace(/\/+$/, '')}/${host}${pathname}`), url];
}

/** A URL as it may be shown: what stands behind its ? may be a secret. */
export function shown(source: string): string {
  return source.replace(/\?.*$/, '').replace(/\/\/[^/@]*@/, '//');
}
