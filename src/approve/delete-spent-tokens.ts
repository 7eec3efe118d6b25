import { setTimeout } from 'node:timers/promises';
import pMap from 'p-map';
import type { TokenSecretsApi } from '../edges/kubernetes/token-secrets-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Token, TokenStore } from '../tokens/token.ts';
import type { NodeReport } from './node-report.ts';
import { pauseAfter } from './trouble.ts';

export interface Deleting {
  readonly api: TokenSecretsApi;
  /** Gets each token once it is gone from the cluster. */
  readonly onGone: (token: Token) => void;
  readonly signal: AbortSignal;
}

const ATTEMPTS = 4;

/**
 * Deletes from the cluster the bootstrap tokens of nodes that have joined.
 *
 * A node has joined when its serving certificate is issued: kubelet asks for that as system:node:NAME, with the client
 * certificate that the token was for. A request that is older than the token's Secret is of the machine before, and says
 * nothing of the one that the new token is for. A token without a Secret is left alone, since one that was rotated is not in
 * the cluster either until it is applied.
 * https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#initialization-process
 * @throws what has kept some of them from being deleted, once no request is under way
 */
export async function deleteSpentTokens(
  reports: readonly NodeReport[],
  { tokens }: TokenStore,
  { api, onGone, signal }: Deleting,
): Promise<void> {
  const candidates = reports.flatMap(({ node, use, state, asked }) => {
    const token = use === 'serving' && state === 'issued' ? tokens.get(node) : undefined;
    return token === undefined ? [] : [{ token, asked: Date.parse(asked) }];
  });
  if (candidates.length === 0) return;
  const secrets = await insist(() => api.list(), signal);
  const spent = candidates.flatMap(({ token, asked }) => {
    const secret = secrets.get(token.id);
    return secret !== undefined && asked > Date.parse(secret.created) ? [{ token, secret }] : [];
  });
  let end: { readonly error: unknown } | undefined;
  const deleteOne = async ({ token, secret }: (typeof spent)[number]): Promise<void> => {
    if (end !== undefined) return;
    try {
      if (await insist(() => api.delete(token.id, secret), signal)) onGone(token);
    } catch (error) {
      // What is under way may be taken, and then is told.
      end ??= { error };
    }
  };
  await pMap(spent, deleteOne, { concurrency: 16 });
  if (end !== undefined) throw end.error;
}

/** Asks again where that may help; a deletion whose answer was lost finds nothing the next time, which is as good. */
async function insist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let times = 1; ; times++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof SourceTrouble) || times === ATTEMPTS) throw error;
      await setTimeout(pauseAfter(error, times), undefined, { signal });
    }
  }
}
