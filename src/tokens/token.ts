/**
 * A bootstrap token, with which one node joins. Kubernetes writes it ID.SECRET; the id is public, the secret is not.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
export interface Token {
  readonly node: string;
  /** Six of [a-z0-9], in the name of the token's Secret too. */
  readonly id: string;
  /** Sixteen of [a-z0-9]. */
  readonly secret: string;
  /** RFC 3339, UTC, whole seconds: 2020-08-03T14:12:04Z, as the Secret says it. */
  readonly expires: string;
}

/** What is known of the nodes' tokens from one run to the next. */
export interface TokenStore {
  /** By the node's name. */
  readonly tokens: ReadonlyMap<string, Token>;
  /** Names of those that have their client certificate, and so need a token no more; none of them has one. */
  readonly joined: ReadonlySet<string>;
  /** SHA-256 of the CA of the cluster that those have joined; '' where there has been none yet. */
  readonly authority: string;
}

/** The token of a planned node; undefined for one that has joined. */
export type TokenOf = (node: string) => Token | undefined;

/** Looks tokens up in a store that knows every planned node. */
export function tokensByNode({ tokens, joined }: TokenStore): TokenOf {
  return (node) => {
    const token = tokens.get(node);
    if (token === undefined && !joined.has(node)) throw new Error(`no token was issued for ${node}`);
    return token;
  };
}
