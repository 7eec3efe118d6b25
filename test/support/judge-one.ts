import type { Plan } from '../../src/cluster/planned-identity.ts';
import { Survey, type Decision } from '../../src/csr/survey.ts';

/** What becomes of a request that is the only one of its cluster. */
export function judgeOne(value: unknown, plan: Plan): Decision['verdict'] {
  const survey = new Survey(plan);
  survey.add(value);
  const [decision] = survey.decisions();
  if (decision === undefined) throw new Error('no decision');
  return decision.verdict;
}
