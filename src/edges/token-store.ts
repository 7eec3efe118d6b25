import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../diagnostics/failure.ts';
import type { TokenStore } from '../tokens/token.ts';
import { asFailure, onDisk, type DiskTrouble } from './on-disk.ts';
import { replaceFile } from './replace-file.ts';
import { withLock } from './with-lock.ts';

const storedTokens = z.strictObject({
  tokens: z.array(
    z.strictObject({
      node: z.string().min(1),
      id: z.string().regex(/^[a-z0-9]{6}$/),
      secret: z.string().regex(/^[a-z0-9]{16}$/),
      expires: z.iso.datetime({ precision: 0 }),
    }),
  ),
  // Files of earlier versions have none.
  joined: z.array(z.string().min(1)).default([]),
  authority: z.string().default(''),
});

/** Where the tokens of a description are kept: cluster.yaml -> cluster.tokens.json. */
export function tokenStoreOf(description: string): string {
  return `${description.replace(/\.ya?ml$/i, '')}.tokens.json`;
}

/**
 * Reads the tokens; none where there is no file yet.
 * @throws Failure `token-store-exposed`, `token-store-damaged`, `token-store-unusable`
 */
export function readTokenStore(path: string): TokenStore {
  const text = onDisk(troubleWith(path), () => readPrivateFile(path));
  return text === undefined ? { tokens: new Map(), joined: new Set(), authority: '' } : decode(path, text);
}

/**
 * The same, where there must be a file.
 * @throws Failure as readTokenStore does, `token-store-missing`
 */
export function requireTokenStore(path: string): TokenStore {
  const text = onDisk(troubleWith(path), () => readPrivateFile(path));
  if (text !== undefined) return decode(path, text);
  throw new Failure(
    'token-store-missing',
    `${path} does not exist, and by \`approval: plan\` it says which node has which token; ` +
      'bring it from where bake compile ran',
  );
}

/**
 * Reads the tokens, has them changed, and keeps the result, while no other run does the same: two compiles at once agree
 * on every token.
 * @param waitMs how long to wait for such a run
 * @throws Failure as readTokenStore does, `token-store-locked`, `disk-full`
 */
export async function updateTokenStore<T extends { readonly store: TokenStore; readonly changed: boolean }>(
  path: string,
  change: (store: TokenStore) => T,
  signal: AbortSignal,
  waitMs = 30_000,
): Promise<T> {
  const busy = () => new Failure('token-store-locked', `another run holds ${path}; end it, and run again`);
  try {
    return await withLock(`${path}.lock`, { waitMs, busy, signal }, () => {
      const result = change(readTokenStore(path));
      if (result.changed) onDisk(troubleWith(path), () => replacePrivateFile(path, encode(result.store)));
      return result;
    });
  } catch (error) {
    throw asFailure(error, troubleWith(path));
  }
}

function troubleWith(path: string): DiskTrouble {
  const remedy = `make ${path} and its folder readable and writable for you`;
  return { code: 'token-store-unusable', fact: `cannot use the tokens in ${path}`, remedy };
}

function readPrivateFile(path: string): string | undefined {
  let descriptor;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0) {
      const message = `others may read ${path}: chmod 600 it; if somebody may have read it, run bake token rotate`;
      throw new Failure('token-store-exposed', message);
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function decode(path: string, text: string): TokenStore {
  const { tokens, joined, authority } = parse(path, text);
  const names = [...tokens.map(({ node }) => node), ...joined];
  if (new Set(names).size < names.length) throw damaged(path, 'a node stands in it twice');
  return { tokens: new Map(tokens.map((token) => [token.node, token])), joined: new Set(joined), authority };
}

function parse(path: string, text: string): z.infer<typeof storedTokens> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Node's own message quotes the text around the mistake, and with it perhaps a secret.
    throw damaged(path, 'it is not JSON');
  }
  const parsed = storedTokens.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw damaged(path, `${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`);
}

function damaged(path: string, what: string): Failure {
  const remedy = 'restore it; or remove it, compile, and give the nodes that have not joined yet their new files';
  return new Failure('token-store-damaged', `${path} is damaged: ${what}; ${remedy}`);
}

function encode(store: TokenStore): string {
  const tokens = [...store.tokens.values()].map(({ node, id, secret, expires }) => ({ node, id, secret, expires }));
  return `${JSON.stringify({ tokens, joined: [...store.joined], authority: store.authority }, null, 2)}\n`;
}

/** The name of the new file, which only the holder of the lock uses, also matches *.tokens.json in .gitignore. */
function replacePrivateFile(path: string, text: string): void {
  replaceFile(path, text, { fresh: join(dirname(path), `.new.${basename(path)}`), mode: 0o600 });
}
