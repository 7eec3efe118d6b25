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

/** The token of each node, by the node's name. */
export type TokenStore = ReadonlyMap<string, Token>;

/** The token of a planned node. */
export type TokenOf = (node: string) => Token;

/** Looks tokens up in a store that has one for every planned node. */
export function tokensByNode(store: TokenStore): TokenOf {
  return (node) => {
    const token = store.get(node);
    if (token === undefined) throw new Error(`no token was issued for ${node}`);
    return token;
  };
}
