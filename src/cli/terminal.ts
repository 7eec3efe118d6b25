import { coloured, plain, type Paint } from '../diagnostics/paint.ts';
import type { Context } from './context.ts';

/** How to talk to whoever sits there: colours only on a terminal that wants them (https://no-color.org). */
export function terminal({ env, stderr }: Context): { readonly paint: Paint; readonly talk: (text: string) => void } {
  const wanted = stderr.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return { paint: wanted ? coloured : plain, talk: (text) => void stderr.write(text) };
}
