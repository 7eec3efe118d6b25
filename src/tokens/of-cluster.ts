import { sha256 } from '../cluster/sha256.ts';
import type { TokenStore } from './token.ts';

/**
 * What the store knows of this cluster: who has joined another has not joined this one. Clusters are told apart by their CA,
 * which signs what a node joins with.
 * @param authority PEM of the CA, as the description has it
 */
export function ofCluster(store: TokenStore, authority: string): TokenStore {
  const hash = sha256(authority);
  return store.authority === hash ? store : { ...store, joined: new Set(), authority: hash };
}
