import type { DigestText } from './lock.ts';

/**
 * The digest of a file in a list, as sha256sum and sha512sum print it: digest, blank, blank or *, name. Also as BSD's
 * tools do: SHA256 (NAME) = DIGEST. Undefined where the list does not name the file.
 */
export function findInList(list: string, fileName: string): DigestText | undefined {
  for (const line of list.split(/\r?\n/)) {
    const [, plain, plainName] = /^([0-9a-fA-F]+) [ *](?:\.\/)?(.+)$/.exec(line) ?? [];
    const [, bsdName, bsd] = /^SHA(?:256|512) \((.+)\) = ([0-9a-fA-F]+)$/.exec(line) ?? [];
    const hex = (plain ?? bsd)?.toLowerCase();
    if ((plainName ?? bsdName) !== fileName || hex === undefined) continue;
    if (hex.length === 64) return `sha256:${hex}`;
    if (hex.length === 128) return `sha512:${hex}`;
  }
  return undefined;
}
