import type { Refusal, RefusalReason } from './refusal-reasons.ts';

/**
 * A request with the condition that approves it, to be put in its place. Whoever reads it later sees by whom.
 * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#approval-rejection-api-client
 * @param value the object as it came from the apiserver: uid and resourceVersion go back with it
 */
export function approvalOf(value: unknown, now: Date): object {
  const message = 'bake approve-csrs: exactly what the description plans for this node';
  return withCondition(value, { type: 'Approved', reason: 'BakePlan', message }, now);
}

/** The same, denied; its reason is spelt as conditions have it: `NameNotPlanned`. */
export function denialOf(value: unknown, { reason, message }: Refusal, now: Date): object {
  const spelt = reason.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return withCondition(value, { type: 'Denied', reason: spelt, message: `bake approve-csrs: ${message}` }, now);
}

/**
 * Not what is somebody else's to decide, or cannot be put back as it was; and a node's older request is a good one. A token
 * may be of a compile that is not known here yet, and a kubelet that does not rotate its certificates comes back to the same
 * request, also where it was denied, until it is removed.
 * https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/certificate/bootstrap/bootstrap.go
 */
const leftAlone: readonly RefusalReason[] = [
  'superseded',
  'object-malformed',
  'signer-missing',
  'signer-other',
  'token-unknown',
];

export function isDeniable({ reason }: Refusal): boolean {
  return !leftAlone.includes(reason);
}

function withCondition(
  value: unknown,
  condition: { type: string; reason: string; message: string },
  now: Date,
): object {
  const object = value as { apiVersion: string; status?: { conditions?: readonly unknown[] } };
  const dated = {
    ...condition,
    // v1beta1 of Kubernetes 1.18 does not know it, and v1 insists on it.
    ...(object.apiVersion.endsWith('/v1') && { status: 'True' }),
    lastUpdateTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  return { ...object, status: { ...object.status, conditions: [...(object.status?.conditions ?? []), dated] } };
}
