import type { Approving } from '../approve/approve-planned.ts';
import type { NodeReport } from '../approve/node-report.ts';
import { auditLine } from '../csr/audit-line.ts';
import type { Inventory } from '../csr/inventory.ts';
import { signersOf, type Plan } from '../csr/plan.ts';
import { CsrApi } from '../edges/kubernetes/csr-api.ts';
import type { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import type { Context } from './context.ts';

/** What every way to approve in a cluster goes by. */
export interface LiveOptions {
  readonly output: 'table' | 'json';
  /** In seconds. */
  readonly timeout: number;
  readonly deny?: true;
}

/** Takes the line of a verdict. */
export type Audit = (line: string) => void;

/** What approving takes, wherever it ends; `signal` is that of the connection. */
export function approvingIn(
  inventory: Inventory,
  api: KubernetesApi,
  audit: Audit,
  { deny }: Pick<LiveOptions, 'deny'>,
  { now, stderr }: Context,
): Omit<Approving, 'signal'> {
  return {
    ...inventory,
    open: () => CsrApi.open(api, signersOf(inventory.plan)),
    onDecision: (decision, isDenied) => audit(auditLine(decision, { time: now(), isDone: true, isDenied })),
    deny: deny === true,
    onTrouble: (message) => void stderr.write(`${api.server}: ${message}; trying again\n`),
    now,
  };
}

/** What the manifests have with `approval: guide`, and kubectl apply leaves where it is. */
const guideBinding = 'auto-approve-csrs-for-group';

/** Whoever may not look, as the approver in the cluster, is not told. */
export async function tellOfOldBinding(plan: Plan, api: KubernetesApi, { stderr }: Context): Promise<void> {
  if (plan.client === undefined) return;
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${guideBinding}`;
  const isThere = await api.call('GET', path).then(
    ({ status }) => status === 200,
    () => false,
  );
  if (!isThere) return;
  const fact = 'the cluster itself still approves client certificates, for any bootstrap token and any node';
  stderr.write(`${fact}; kubectl delete clusterrolebinding ${guideBinding}\n`);
}

/** Node, state, request and why; a certificate is a serving certificate where nothing else is said. */
export function rowOf({ node, use, state, csr, why }: NodeReport): string[] {
  const what = why === '' ? 'client certificate' : `client certificate: ${why}`;
  return [node, state, csr, use === 'client' ? what : why];
}
