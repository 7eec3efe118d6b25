import { refusalReasons, type RefusalReason } from '../csr/refusal-reasons.ts';
import { codes, type DiagnosticCode } from '../diagnostics/codes.ts';
import { didYouMean } from '../description/did-you-mean.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import type { Context } from './context.ts';

/**
 * Prints the story of a code, also of a reason for which a request is refused, or the list of all codes of errors.
 * @throws Failure `unknown-code`
 */
export function explain(code: string | undefined, { stdout }: Context): void {
  if (code === undefined) {
    for (const [name, { summary }] of Object.entries(codes)) stdout.write(`${name.padEnd(28)} ${summary}\n`);
    return;
  }
  if (Object.hasOwn(refusalReasons, code)) {
    const { summary, remedy } = refusalReasons[code as RefusalReason];
    stdout.write(`${code} (a request is refused): ${summary}\n\n${remedy}\n`);
    return;
  }
  if (!Object.hasOwn(codes, code)) {
    const hint =
      didYouMean(code, [...Object.keys(codes), ...Object.keys(refusalReasons)]) ?? '`bake explain` lists them';
    throw new Failure('unknown-code', `there is no code ${JSON.stringify(code)}; ${hint}`, exitCodes.usage);
  }
  const { severity, summary, story } = codes[code as DiagnosticCode];
  stdout.write(`${code} (${severity}): ${summary}\n\n${story}\n`);
}
