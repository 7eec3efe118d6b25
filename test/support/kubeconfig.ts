/** A kubeconfig with one cluster, one user and one context. */
export function kubeconfigOf(server: string, ca: string, user: object, cluster: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubernetes', cluster: { server, 'certificate-authority': ca, ...cluster } }],
    users: [{ name: 'user', user }],
    contexts: [{ name: 'default', context: { cluster: 'kubernetes', user: 'user' } }],
    'current-context': 'default',
  });
}
