import { didYouMean } from '../description/did-you-mean.ts';
import { refusalReasons } from '../csr/refusal-reasons.ts';
import type { Decision } from '../csr/survey.ts';
import { showable } from '../diagnostics/quote.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import type { Context } from './context.ts';
import { printJson } from './print-json.ts';
import { decisionAsJson } from './tell-decisions.ts';

/**
 * Tells about one request why it is approved or refused, and what to do.
 * @throws Failure `unknown-csr`
 */
export function explainDecision(
  name: string,
  decisions: readonly Decision[],
  { output }: { readonly output: 'table' | 'json' },
  context: Context,
): void {
  const decision = decisions.find((each) => each.name === name);
  if (decision === undefined) {
    const hint =
      didYouMean(
        name,
        decisions.map((each) => each.name),
      ) ?? '`kubectl get csr` lists them';
    throw new Failure('unknown-csr', `no request is called ${name}; ${hint}`, exitCodes.usage);
  }
  if (output === 'json')
    printJson({ good: true, request: { ...decisionAsJson(decision), ...storyOf(decision) } }, context);
  else context.stdout.write(textOf(decision));
}

function storyOf({ verdict }: Decision): { readonly summary?: string; readonly remedy?: string } {
  return verdict.kind === 'refuse' ? refusalReasons[verdict.reason] : {};
}

function textOf({ name, requester, use, state, verdict }: Decision): string {
  const what = use === undefined ? '' : `, for a ${use} certificate`;
  const asked = showable(`${name}: asked for by ${requester === '' ? 'nobody' : requester}${what}, ${state}`);
  if (verdict.kind === 'none') {
    const why =
      state === 'pending' ? 'A node renews its client certificate; the cluster decides.' : 'It was decided before.';
    return `${asked}\n${why}\n`;
  }
  const key = verdict.key === undefined ? '' : `SHA-256 of its key: ${verdict.key}\n`;
  if (verdict.kind === 'approve') return `${asked}\napprove: it is what the plan has for this node\n${key}`;
  const { summary, remedy } = refusalReasons[verdict.reason];
  return `${asked}\nrefuse ${verdict.reason}: ${summary}\n  ${verdict.message}\n${remedy}\n${key}`;
}
