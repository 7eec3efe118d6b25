import type { Plan } from '../../src/csr/plan.ts';
import { Survey, type Decision } from '../../src/csr/survey.ts';

/** What becomes of a request that is the only one of its cluster. */
export function judgeOne(value: unknown, plan: Plan): Decision['verdict'] {
  const survey = new Survey(plan);
  return survey.settle(survey.add(value).decision).verdict;
}
