import type { Plan } from '../cluster/planned-identity.ts';
import { checkCertificate } from '../csr/check-certificate.ts';
import { stateOf, type CsrObject, type CsrState } from '../csr/csr-object.ts';
import type { Survey } from '../csr/survey.ts';

/** How far a node has come to its serving certificate. */
export interface NodeReport {
  readonly node: string;
  /** `missing`: it has not asked, or its request is gone. `wrong`: its certificate is not what it asked for. */
  readonly state: CsrState | 'missing' | 'wrong';
  /** The newest request of the node; '' where there is none. */
  readonly csr: string;
  /** Why it has none yet; '' for one that has. */
  readonly why: string;
}

const reasons = {
  approved: 'the signer has not come by: is kube-controller-manager up, and does it have --cluster-signing-cert-file?',
  pending: 'its approval has not got through',
  denied: 'somebody has denied it; kubelet asks again',
  failed: 'the signer could not sign it: kubectl describe csr tells',
  missing:
    'it has not asked, or its request is older than an hour and gone; on the node, bake-check tells how far it got',
} as const;

/** Why a certificate is not what was asked for, by the uid of its request; undefined for one that is right. */
export type CheckedCertificates = Map<string, string | undefined>;

export interface AfterSurvey {
  /** uids of requests that were approved since. */
  readonly approved: ReadonlySet<string>;
  /** PEM: who is to sign. */
  readonly authority: string;
  /** What was seen before, so that each certificate is checked once. */
  readonly checked: CheckedCertificates;
}

/** @returns one a node, in the order of the plan */
export function reportNodes(plan: Plan, survey: Survey, after: AfterSurvey): NodeReport[] {
  return [...plan.values()].map(({ name: node, user }) => {
    const newest = survey.newestOf(user);
    if (newest === undefined) return { node, state: 'missing', csr: '', why: reasons.missing };
    const { name: csr, uid, verdict } = newest.decision;
    const state = after.approved.has(uid) ? 'approved' : stateOf(newest.object);
    if (state === 'issued') {
      const wrong = checkOnce(newest.object, after);
      return { node, csr, ...(wrong === undefined ? { state, why: '' } : { state: 'wrong', why: wrong }) };
    }
    return {
      node,
      state,
      csr,
      why: verdict.kind === 'refuse' ? `${verdict.reason}: ${verdict.message}` : reasons[state],
    };
  });
}

function checkOnce({ metadata, spec, status }: CsrObject, { authority, checked }: AfterSurvey): string | undefined {
  if (!checked.has(metadata.uid)) {
    const issued = { certificate: status?.certificate ?? '', request: spec.request };
    checked.set(metadata.uid, checkCertificate(issued, authority));
  }
  return checked.get(metadata.uid);
}
