import { showable } from '../diagnostics/quote.ts';
import type { Decision } from '../csr/survey.ts';
import { textTable } from '../report/text-table.ts';
import type { Context } from './context.ts';
import { printJson } from './print-json.ts';

/** Prints what is thought of each request. */
export function tellDecisions(
  decisions: readonly Decision[],
  { output }: { readonly output: 'table' | 'json' },
  context: Context,
): void {
  if (output === 'json') {
    printJson({ good: true, requests: decisions.map(decisionAsJson) }, context);
    return;
  }
  if (decisions.length === 0) context.stderr.write('no requests\n');
  else context.stdout.write(textTable(['NAME', 'REQUESTER', 'USE', 'STATE', 'VERDICT', 'WHY'], decisions.map(rowOf)));
}

function rowOf({ name, requester, use, state, verdict }: Decision): string[] {
  const why = verdict.kind === 'refuse' ? `${verdict.reason}: ${verdict.message}` : '';
  return [name, requester, use ?? '', state, verdict.kind === 'none' ? '' : verdict.kind, why].map(showable);
}

export function decisionAsJson({ name, requester, use, state, verdict: { kind, ...why } }: Decision) {
  return { name, requester, use, state, verdict: kind, ...why };
}
