import { planOf } from '../cluster/planned-identity.ts';
import { auditLine } from '../csr/audit-line.ts';
import { Survey } from '../csr/survey.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import type { Context } from './context.ts';
import { explainDecision } from './explain-decision.ts';
import { loadAndReport } from './load-and-report.ts';
import { readCsrFile } from './read-csr-file.ts';
import { tellDecisions } from './tell-decisions.ts';

export interface ApproveCsrsOptions {
  readonly fromFile?: string;
  readonly explain?: string;
  readonly output: 'table' | 'json';
}

/**
 * Judges requests for serving certificates by the plan.
 * @returns the exit code
 * @throws Failure `csrs-unreadable`, `unknown-csr`
 */
export async function approveCsrs(file: string, options: ApproveCsrsOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(file, {}, context);
  if (loaded === undefined) return exitCodes.description;
  const survey = new Survey(planOf(loaded.cluster));
  for (const value of await readCsrFile(options.fromFile ?? '-', context)) survey.add(value);
  const decisions = survey.decisions();
  if (options.explain !== undefined) {
    explainDecision(options.explain, decisions, options, context);
    return exitCodes.done;
  }
  for (const decision of decisions) {
    if (decision.verdict.kind === 'none') continue;
    context.stderr.write(auditLine(decision, { time: context.now(), done: false }));
  }
  tellDecisions(decisions, options, context);
  return exitCodes.done;
}
