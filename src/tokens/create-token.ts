import type { Token } from './token.ts';

/** What new tokens are made from. */
export interface Issuing {
  readonly now: Date;
  readonly ttlSeconds: number;
  readonly random: (bytes: number) => Uint8Array;
}

/**
 * Makes a new token for a node.
 * @param taken ids that are in use, since the id names the Secret in the cluster; the new one is added
 */
export function createToken(node: string, taken: Set<string>, { now, ttlSeconds, random }: Issuing): Token {
  let id;
  do id = randomText(6, random);
  while (taken.has(id));
  taken.add(id);
  return { node, id, secret: randomText(16, random), expires: wholeSeconds(now.getTime() + ttlSeconds * 1000) };
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** The largest multiple of 36 that a byte can hold: with the bytes beyond, the first letters would come more often. */
const fair = 256 - (256 % alphabet.length);

function randomText(length: number, random: Issuing['random']): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length - text.length)) if (byte < fair) text += alphabet.charAt(byte % alphabet.length);
  }
  return text;
}

/** RFC 3339 as Kubernetes writes it, without a fraction. */
function wholeSeconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
