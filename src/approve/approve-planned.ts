import { setTimeout } from 'node:timers/promises';
import pMap from 'p-map';
import type { Plan } from '../cluster/planned-identity.ts';
import { approvalOf } from '../csr/approval.ts';
import { servingSigner } from '../csr/judge-csr.ts';
import { Survey, type Decision, type KnownVerdicts } from '../csr/survey.ts';
import { Failure } from '../diagnostics/failure.ts';
import type { CsrApi } from '../edges/kubernetes/csr-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { reportNodes, type CheckedCertificates, type NodeReport } from './node-report.ts';

export interface Approving {
  readonly plan: Plan;
  /** PEM: who is to sign the certificates. */
  readonly authority: string;
  /** Called until it succeeds. */
  readonly open: () => Promise<CsrApi>;
  readonly timeoutMs: number;
  /** Gets each refusal once, and each approval that the cluster has taken. */
  readonly onDecision: (decision: Decision) => void;
  /** Gets what keeps the cluster from answering, once as long as it stays the same. */
  readonly onTrouble: (message: string) => void;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly pauseMs?: number;
}

/** An apiserver that is well is asked again after this, or after twice the time that it takes to answer. */
const PAUSE_MS = 1000;
/** Longest pause after trouble, as a multiple of the first. */
const MAX_PAUSES = 15;

/**
 * Approves what is planned until each planned node has its serving certificate, or the time is up; at least once over. What
 * the cluster does not take (another was faster, a connection broke) is looked at anew the next time round.
 * @returns how far each node has come
 * @throws SourceTrouble where the cluster has not answered once; or as CsrApi
 */
export async function approvePlanned(approving: Approving): Promise<NodeReport[]> {
  const { timeoutMs, signal, onTrouble, pauseMs = PAUSE_MS } = approving;
  const deadline = performance.now() + timeoutMs;
  const rounds = new Rounds(approving);
  let reports: NodeReport[] | undefined;
  let troubles: Trouble[] = [];
  for (;;) {
    const started = performance.now();
    try {
      reports = await rounds.next();
      if (reports.every(({ state }) => state === 'issued')) return reports;
      troubles = [];
    } catch (error) {
      if (!isTrouble(error, reports !== undefined)) throw error;
      if (error.message !== troubles.at(-1)?.message) onTrouble(error.message);
      troubles.push(error);
    }
    const left = deadline - performance.now();
    if (left <= 0) break;
    await setTimeout(Math.min(left, pauseAfter(performance.now() - started, troubles, pauseMs)), undefined, { signal });
  }
  if (reports !== undefined) return reports;
  throw troubles.at(-1) ?? new Error('no look and no trouble');
}

type Trouble = SourceTrouble | Failure;

/** An apiserver that starts refuses everybody for a moment; who has been let in before waits for that to end. */
function isTrouble(error: unknown, wasWell: boolean): error is Trouble {
  return error instanceof SourceTrouble || (wasWell && error instanceof Failure && error.code === 'cluster-refuses');
}

function pauseAfter(tookMs: number, troubles: readonly Trouble[], pauseMs: number): number {
  const last = troubles.at(-1);
  if (last === undefined) return Math.max(pauseMs, 2 * tookMs);
  const wanted = last instanceof SourceTrouble ? last.retryAfterMs : 0;
  return Math.max(wanted, pauseMs * Math.min(2 ** (troubles.length - 1), MAX_PAUSES));
}

/** One look at all requests after the other; what was seen before is neither judged nor told again. */
class Rounds {
  readonly #approving: Approving;
  readonly #known: KnownVerdicts = new Map();
  readonly #checked: CheckedCertificates = new Map();
  readonly #told = new Set<string>();
  readonly #unanswered = new Map<string, Decision>();
  #api: CsrApi | undefined;

  constructor(approving: Approving) {
    this.#approving = approving;
  }

  async next(): Promise<NodeReport[]> {
    const { plan, authority, open } = this.#approving;
    this.#api ??= await open();
    const survey = new Survey(plan, this.#known);
    for await (const value of this.#api.list(servingSigner)) survey.add(value);
    const decisions = survey.decisions();
    for (const decision of decisions) {
      if (decision.verdict.kind === 'refuse') this.#tell(decision);
      this.#tellWhatCameThrough(decision);
    }
    const planned = decisions.filter(({ verdict }) => verdict.kind === 'approve');
    const approved = await this.#approveAll(this.#api, planned);
    return reportNodes(plan, survey, { approved, authority, checked: this.#checked });
  }

  /**
   * All get their turn before trouble with one of them ends the round.
   * @returns uids of those that the cluster has taken
   */
  async #approveAll(api: CsrApi, decisions: readonly Decision[]): Promise<Set<string>> {
    const approved = new Set<string>();
    const troubles: SourceTrouble[] = [];
    const approve = async (decision: Decision): Promise<void> => {
      try {
        if (!(await api.approve(decision.name, approvalOf(decision.value, this.#approving.now())))) return;
        approved.add(decision.uid);
        this.#tell(decision);
      } catch (error) {
        if (!(error instanceof SourceTrouble)) throw error;
        this.#unanswered.set(decision.uid, decision);
        troubles.push(error);
      }
    };
    await pMap(decisions, approve, { concurrency: 16 });
    const [trouble] = troubles;
    if (trouble !== undefined) throw trouble;
    return approved;
  }

  /** An approval whose answer was lost on the way. */
  #tellWhatCameThrough({ uid, state }: Decision): void {
    const sent = this.#unanswered.get(uid);
    if (sent !== undefined && (state === 'approved' || state === 'issued')) this.#tell(sent);
  }

  #tell(decision: Decision): void {
    const { uid, verdict } = decision;
    const what = `${uid} ${verdict.kind === 'refuse' ? verdict.reason : verdict.kind}`;
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#approving.onDecision(decision);
  }
}
