import { Approver, type ApproverOptions } from './approver.ts';
import { Follower, type Following } from './follower.ts';
import type { NodeReport } from './node-report.ts';

export type Approving = Omit<ApproverOptions, 'onReport' | 'patienceMs'> & Following;

/**
 * Approves what is planned until each planned node has its serving certificate, or the time is up; at least once over.
 * @returns how far each node has come
 * @throws SourceTrouble where the cluster has not answered once; or as CsrApi
 */
export async function approvePlanned(approving: Approving & { readonly timeoutMs: number }): Promise<NodeReport[]> {
  const deadline = performance.now() + approving.timeoutMs;
  const approver = new Approver({ ...approving, onReport: () => undefined, patienceMs: Infinity });
  await new Follower(approver, approving, { deadline, isDone: () => approver.reports.areComplete }).run();
  return approver.reports.all();
}

/**
 * Approves what is planned, on and on.
 * @throws what ends it: the signal; Failure of whoever takes decisions; as CsrApi where the cluster has refused from the start
 */
export async function watchPlanned(
  approving: Approving & Pick<ApproverOptions, 'onReport' | 'patienceMs'>,
): Promise<void> {
  await new Follower(new Approver(approving), approving, { deadline: Infinity, isDone: () => false }).run();
}
