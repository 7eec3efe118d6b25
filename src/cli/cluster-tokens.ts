import { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { readKubeconfig } from '../edges/kubernetes/read-kubeconfig.ts';
import { TokenSecretsApi, type TokenSecret } from '../edges/kubernetes/token-secrets-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import type { Context } from './context.ts';
import { unreachable } from './unreachable.ts';

/**
 * The bootstrap tokens that a cluster has, by their ids.
 * @throws Failure `kubeconfig-unusable`, `cluster-unreachable`, `cluster-refuses`, `cluster-untrusted`
 */
export async function clusterTokens(
  options: { readonly kubeconfig?: string; readonly context?: string },
  context: Context,
): Promise<Map<string, TokenSecret>> {
  const api = new KubernetesApi(readKubeconfig(options, context), context);
  try {
    return await new TokenSecretsApi(api).list();
  } catch (error) {
    throw error instanceof SourceTrouble ? unreachable(api, error) : error;
  } finally {
    await api.close();
  }
}
