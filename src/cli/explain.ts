import { codes, type DiagnosticCode } from '../diagnostics/codes.ts';
import { didYouMean } from '../description/did-you-mean.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import type { Context } from './context.ts';

/**
 * Prints the story of a code, or the list of all codes.
 * @throws Failure `unknown-code`
 */
export function explain(code: string | undefined, { stdout }: Context): void {
  if (code === undefined) {
    for (const [name, { summary }] of Object.entries(codes)) stdout.write(`${name.padEnd(28)} ${summary}\n`);
    return;
  }
  if (!Object.hasOwn(codes, code)) {
    const hint = didYouMean(code, Object.keys(codes)) ?? '`bake explain` lists them';
    throw new Failure('unknown-code', `there is no code ${JSON.stringify(code)}; ${hint}`, exitCodes.usage);
  }
  const { severity, summary, story } = codes[code as DiagnosticCode];
  stdout.write(`${code} (${severity}): ${summary}\n\n${story}\n`);
}
