/**
 * A request with the condition that approves it, to be put in its place. Whoever reads it later sees by whom.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#approval-rejection-api-client
 * @param value the object as it came from the apiserver: uid and resourceVersion go back with it
 */
export function approvalOf(value: unknown, now: Date): object {
  const object = value as { apiVersion: string; status?: { conditions?: readonly unknown[] } };
  const condition = {
    type: 'Approved',
    // v1beta1 of Kubernetes 1.18 does not know it, and v1 insists on it.
    ...(object.apiVersion.endsWith('/v1') && { status: 'True' }),
    reason: 'BakePlan',
    message: 'bake approve-csrs: exactly what the description plans for this node',
    lastUpdateTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  return { ...object, status: { ...object.status, conditions: [...(object.status?.conditions ?? []), condition] } };
}
