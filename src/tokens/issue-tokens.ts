import { createToken, type Issuing } from './create-token.ts';
import type { Token, TokenStore } from './token.ts';

/** With less than this left a node may come up too late: it boots first, and some are switched on by hand. */
const leastLeftMs = 3_600_000;

export interface IssuedTokens {
  /** The token of each node: what to compile with, and what to keep for the next time. */
  readonly store: TokenStore;
  /** Whether the store differs from the one before; while it does not, a description compiles to the same bytes. */
  readonly changed: boolean;
}

/**
 * Gives each node its token: the one it has while that lives for another hour, else a new one. (With a TTL below an
 * hour each compile would replace every token; the description's rules refuse that.)
 *
 * The token of a node that is no longer planned is dropped. Its Secret is no longer among the manifests then, and a
 * secret without a use is only one more that can leak; a node that comes back gets a new token.
 * @param nodes names, without duplicates; the tokens come in their order
 */
export function issueTokens(store: TokenStore, nodes: readonly string[], issuing: Issuing): IssuedTokens {
  const ids = idsOf(store);
  const kept = (node: string) => {
    const token = store.get(node);
    return token !== undefined && lives(token, issuing.now) ? token : undefined;
  };
  const issued = new Map(nodes.map((node) => [node, kept(node) ?? createToken(node, ids, issuing)]));
  return {
    store: issued,
    changed: issued.size !== store.size || nodes.some((node) => issued.get(node) !== store.get(node)),
  };
}

/** Gives the nodes named a new token each, whether or not the old one lives; all others keep theirs. */
export function rotateTokens(store: TokenStore, nodes: readonly string[], issuing: Issuing): IssuedTokens {
  const ids = idsOf(store);
  const rotated = new Map(store);
  for (const node of nodes) rotated.set(node, createToken(node, ids, issuing));
  return { store: rotated, changed: nodes.length > 0 };
}

/** The first token to expire decides how long the output can be used; undefined for an empty store. */
export function earliestExpiry(store: TokenStore): string | undefined {
  let earliest: string | undefined;
  for (const { expires } of store.values()) if (earliest === undefined || expires < earliest) earliest = expires;
  return earliest;
}

function lives(token: Token, now: Date): boolean {
  return Date.parse(token.expires) - now.getTime() >= leastLeftMs;
}

/** Also those that are replaced or dropped: their Secrets may still be in the cluster, and are named by the id. */
function idsOf(store: TokenStore): Set<string> {
  return new Set([...store.values()].map(({ id }) => id));
}
