import type { X509Certificate } from 'node:crypto';
import { authoritiesIn, checkCertificate } from '../csr/check-certificate.ts';
import type { CsrState } from '../csr/csr-object.ts';
import { uses, type Plan, type Use } from '../csr/plan.ts';
import type { Decision, Seen } from '../csr/survey.ts';
import type { Trouble } from './trouble.ts';

/** How far a node has come to a certificate. */
export interface NodeReport {
  readonly node: string;
  /** For what it is. */
  readonly use: Use;
  /**
   * `no-request`: there is none of it, which tells nothing of whether it has a certificate: the cluster removes requests an
   * hour after they are decided. `joined`: there is none either, and an earlier run has seen its certificate. `wrong`: its
   * certificate is not what it asked for.
   * https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#request-signing-process
   */
  readonly state: CsrState | 'no-request' | 'joined' | 'wrong';
  /** The newest request of the node; '' where there is none. */
  readonly csr: string;
  /** When the node made it, as RFC 3339; '' where there is none. */
  readonly asked: string;
  /** Why it has none yet, or why it counts as one that has; '' where its certificate was looked at. */
  readonly why: string;
}

const reasons = {
  approved: 'the signer has not come by: is kube-controller-manager up, and does it have --cluster-signing-cert-file?',
  pending: 'its approval has not got through',
  denied: 'somebody has denied it; kubelet asks again',
  failed: 'the signer could not sign it: kubectl describe csr tells',
  'no-request':
    'it has not asked, or has its certificate for over an hour, after which requests are removed; ' +
    'on the node, bake-check tells',
  joined: 'by an earlier run; there is no request to look at now',
} as const;

export interface NodeReportsOptions {
  readonly plan: Plan;
  /** PEM: who is to sign the certificates. */
  readonly authority: string;
  /** Gets a node when its certificate has come, or will not come, or does not come in time. */
  readonly onReport: (report: NodeReport) => void;
  /** How long a certificate may take to come after the approval. */
  readonly patienceMs: number;
  /** Nodes that had their serving certificate before, as far as that is known. */
  readonly joined?: ReadonlySet<string> | undefined;
}

interface Kept {
  readonly report: NodeReport;
  readonly uid: string;
  /** Until when the certificate is to come; undefined where none is waited for, or that is told. */
  readonly dueAt?: number;
}

/** How far each planned node has come: to its serving certificate, and where bake approves it, to its client certificate. */
export class NodeReports {
  readonly #options: NodeReportsOptions;
  readonly #authorities: readonly X509Certificate[];
  /** By the user that may ask. */
  readonly #kept: Map<string, Kept>;

  constructor(options: NodeReportsOptions) {
    this.#options = options;
    this.#authorities = authoritiesIn(options.authority);
    const ofAll = uses.flatMap((use) =>
      [...(options.plan[use] ?? [])].map(([user, { name }]) => [user, this.#withoutRequest(name, use)] as const),
    );
    this.#kept = new Map(ofAll);
  }

  /** The newest request of a user that may ask, as it is now. */
  note({ decision, object }: Seen): void {
    const before = this.#kept.get(decision.requester);
    const { uid, name: csr, state, verdict } = decision;
    if (before === undefined || object === undefined || state === 'unknown') return;
    const { node, use } = before.report;
    const asked = object.metadata.creationTimestamp;
    if (state !== 'issued') {
      const why = verdict.kind === 'refuse' ? `${verdict.reason}: ${verdict.message}` : reasons[state];
      this.#keep(decision, { node, use, state, csr, asked, why });
    } else if (before.uid !== uid || !hasCertificate(before)) {
      // Once: what is issued stays as it is.
      const issued = { certificate: object.status?.certificate ?? '', request: object.spec.request };
      const wrong = checkCertificate(issued, this.#authorities);
      this.#keep(decision, {
        node,
        use,
        csr,
        asked,
        ...(wrong === undefined ? { state, why: '' } : { state: 'wrong', why: wrong }),
      });
    }
  }

  /** The cluster has taken what was decided. */
  noteDecision(decision: Decision): void {
    const before = this.#kept.get(decision.requester);
    if (before?.uid !== decision.uid) return;
    const isApproved = decision.verdict.kind === 'approve';
    const after = isApproved ? { state: 'approved' as const, why: reasons.approved } : { state: 'denied' as const };
    this.#keep(decision, { ...before.report, ...after });
  }

  /** The cluster has not taken what was decided. */
  noteTrouble({ requester, uid }: Decision, { message }: Trouble): void {
    const before = this.#kept.get(requester);
    if (before?.uid !== uid || before.report.state !== 'pending') return;
    this.#kept.set(requester, { ...before, report: { ...before.report, why: `${reasons.pending}: ${message}` } });
  }

  #keep({ requester, uid }: Decision, report: NodeReport): void {
    const { onReport, patienceMs } = this.#options;
    const before = this.#kept.get(requester);
    if (before?.uid === uid && before.report.state === report.state) return;
    if (report.state === 'approved') {
      this.#kept.set(requester, { report, uid, dueAt: performance.now() + patienceMs });
      return;
    }
    this.#kept.set(requester, { report, uid });
    if (report.state !== 'pending') onReport(report);
  }

  /** A request that is gone; a certificate that was issued is none the worse for it. */
  forget(user: string, uid: string): void {
    const kept = this.#kept.get(user);
    if (kept?.uid !== uid || hasCertificate(kept)) return;
    const { node, use } = kept.report;
    this.#kept.set(user, this.#withoutRequest(node, use));
  }

  #withoutRequest(node: string, use: Use): Kept {
    const isKnown = use === 'serving' && this.#options.joined?.has(node) === true;
    const told = isKnown
      ? { state: 'joined' as const, why: reasons.joined }
      : { state: 'no-request' as const, why: reasons['no-request'] };
    return { report: { node, use, csr: '', asked: '', ...told }, uid: '' };
  }

  /** All that are gone. */
  forgetUnless(isThere: (uid: string) => boolean): void {
    for (const [user, { uid }] of this.#kept) if (!isThere(uid)) this.forget(user, uid);
  }

  /** When the next certificate is overdue; Infinity where none is waited for. */
  get nextDueAt(): number {
    let next = Infinity;
    for (const { dueAt = Infinity } of this.#kept.values()) next = Math.min(next, dueAt);
    return next;
  }

  /** Reports, once, each node whose certificate is overdue. */
  reportOverdue(): void {
    for (const [user, { report, uid, dueAt = Infinity }] of this.#kept) {
      if (dueAt > performance.now()) continue;
      this.#kept.set(user, { report, uid });
      this.#options.onReport(report);
    }
  }

  /** Whether every planned node has its serving certificate. */
  get areComplete(): boolean {
    for (const { report } of this.#kept.values()) {
      if (report.use === 'serving' && !hasArrived(report)) return false;
    }
    return true;
  }

  /**
   * One a node, in the order of the plan: how far it has come to its serving certificate, or to the client certificate as
   * long as it waits for that, and so cannot ask for the other.
   */
  all(): NodeReport[] {
    const reports = [...this.#kept.values()].map(({ report }) => report);
    const waiting = reports.filter(({ use, state }) => use === 'client' && !['no-request', 'issued'].includes(state));
    const waits = new Map(waiting.map((report) => [report.node, report]));
    return reports
      .filter(({ use }) => use === 'serving')
      .map((report) => (report.state === 'no-request' ? (waits.get(report.node) ?? report) : report));
  }
}

/** Whether the node has this certificate. */
export function hasArrived({ state }: NodeReport): boolean {
  return state === 'issued' || state === 'joined';
}

function hasCertificate({ report }: Kept): boolean {
  return report.state === 'issued' || report.state === 'wrong';
}
