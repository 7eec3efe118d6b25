import type { Plan } from '../cluster/planned-identity.ts';
import type { Survey } from '../csr/survey.ts';

/** How far a node has come to its serving certificate. */
export interface NodeReport {
  readonly node: string;
  /** `missing`: it has not asked, or its request is gone. */
  readonly state: 'issued' | 'approved' | 'pending' | 'denied' | 'failed' | 'missing';
  /** The newest request of the node; '' where there is none. */
  readonly csr: string;
  /** Why it has none yet; '' for one that has. */
  readonly why: string;
}

const reasons = {
  issued: '',
  approved: 'the signer has not come by: is kube-controller-manager up, and does it have --cluster-signing-cert-file?',
  pending: 'its approval has not got through',
  denied: 'somebody has denied it; kubelet asks again',
  failed: 'the signer could not sign it: kubectl describe csr tells',
  missing:
    'it has not asked, or its request is older than an hour and gone; on the node, bake-check tells how far it got',
} as const;

/**
 * @param approved uids of requests that were approved after the survey
 * @returns one a node, in the order of the plan
 */
export function reportNodes(plan: Plan, survey: Survey, approved: ReadonlySet<string>): NodeReport[] {
  return [...plan.values()].map(({ name: node, user }) => {
    const newest = survey.newestOf(user);
    if (newest === undefined || newest.state === 'unknown') {
      return { node, state: 'missing', csr: '', why: reasons.missing };
    }
    const { name: csr, uid, verdict } = newest;
    const state = approved.has(uid) ? 'approved' : newest.state;
    const why = verdict.kind === 'refuse' ? `${verdict.reason}: ${verdict.message}` : reasons[state];
    return { node, state, csr, why };
  });
}
