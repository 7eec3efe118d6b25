import { createToken, type Issuing } from './create-token.ts';
import type { Token, TokenStore } from './token.ts';

/** With less than this left a node may come up too late: it boots first, and some are switched on by hand. */
const leastLeftMs = 3_600_000;

export interface IssuedTokens {
  /** What to compile with, and what to keep for the next time. */
  readonly store: TokenStore;
  /** Whether the store differs from the one before; while it does not, a description compiles to the same bytes. */
  readonly changed: boolean;
}

/**
 * Gives each node that has not joined its token: the one it has while that lives for another hour, else a new one. (With a
 * TTL below an hour each compile would replace every token; the description's rules refuse that.)
 *
 * A node that is no longer planned is forgotten, and so is its token. Its Secret is no longer among the manifests then, and a
 * secret without a use is only one more that can leak; a node that comes back gets a new token.
 * @param nodes names, without duplicates; the tokens come in their order
 */
export function issueTokens(store: TokenStore, nodes: readonly string[], issuing: Issuing): IssuedTokens {
  const ids = idsOf(store);
  const kept = (node: string) => {
    const token = store.tokens.get(node);
    return token !== undefined && lives(token, issuing.now) ? token : undefined;
  };
  const joined = new Set(nodes.filter((node) => store.joined.has(node)));
  const without = nodes.filter((node) => !joined.has(node));
  const tokens = new Map(without.map((node) => [node, kept(node) ?? createToken(node, ids, issuing)]));
  const isSame =
    joined.size === store.joined.size &&
    tokens.size === store.tokens.size &&
    without.every((node) => tokens.get(node) === store.tokens.get(node));
  return { store: { ...store, tokens, joined }, changed: !isSame };
}

/** Gives the nodes named a new token each, also those whose old one lives, or that have joined; all others stay as they are. */
export function rotateTokens(store: TokenStore, nodes: readonly string[], issuing: Issuing): IssuedTokens {
  const ids = idsOf(store);
  const tokens = new Map(store.tokens);
  const joined = new Set(store.joined);
  for (const node of nodes) {
    tokens.set(node, createToken(node, ids, issuing));
    joined.delete(node);
  }
  return { store: { ...store, tokens, joined }, changed: nodes.length > 0 };
}

/** Drops tokens that are no longer in the cluster, as their nodes have joined. One that was rotated meanwhile stays. */
export function dropSpent(store: TokenStore, spent: readonly Token[]): IssuedTokens {
  const tokens = new Map(store.tokens);
  const joined = new Set(store.joined);
  for (const { node, id } of spent) {
    if (tokens.get(node)?.id !== id) continue;
    tokens.delete(node);
    joined.add(node);
  }
  return { store: { ...store, tokens, joined }, changed: tokens.size < store.tokens.size };
}

/** The first token to expire decides how long the output can be used; undefined where there is none. */
export function earliestExpiry({ tokens }: TokenStore): string | undefined {
  let earliest: string | undefined;
  for (const { expires } of tokens.values()) if (earliest === undefined || expires < earliest) earliest = expires;
  return earliest;
}

function lives(token: Token, now: Date): boolean {
  return Date.parse(token.expires) - now.getTime() >= leastLeftMs;
}

/** Also those that are replaced or dropped: their Secrets may still be in the cluster, and are named by the id. */
function idsOf({ tokens }: TokenStore): Set<string> {
  return new Set([...tokens.values()].map(({ id }) => id));
}
