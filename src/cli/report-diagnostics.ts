import { codes } from '../diagnostics/codes.ts';
import { shapeCodes } from '../diagnostics/shape-codes.ts';
import type { LocatedDiagnostic } from '../diagnostics/locate.ts';
import { renderDiagnostics } from '../diagnostics/render.ts';
import type { Context } from './context.ts';
import type { Findings } from './load-description.ts';
import { terminal } from './terminal.ts';

/** Prints what was found in a description, and how much of it. */
export function reportDiagnostics(file: string, { text, diagnostics }: Findings, context: Context): void {
  if (diagnostics.length === 0) return;
  const { paint, talk } = terminal(context);
  talk(renderDiagnostics(diagnostics, { name: file, text }, paint));
  // Rules need values of the right shape.
  const early = diagnostics.some(({ code }) => code in shapeCodes);
  talk(
    `${summary(diagnostics)} in ${file}${early ? '; further checks follow once the keys and values are right' : ''}\n`,
  );
}

function summary(diagnostics: readonly LocatedDiagnostic[]): string {
  const errors = diagnostics.filter(({ code }) => codes[code].severity === 'error').length;
  const warnings = diagnostics.length - errors;
  return [count(errors, 'error'), count(warnings, 'warning')].filter((part) => part !== '').join(', ');
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** The same for machines: one object a finding, with stable keys. */
export function diagnosticsAsJson(file: string, diagnostics: readonly LocatedDiagnostic[]) {
  return diagnostics.map(({ code, message, path, place, notes }) => ({
    code,
    severity: codes[code].severity,
    message,
    file,
    line: place.line,
    column: place.column,
    path,
    notes: notes.map((note) => ({ message: note.message, line: note.place.line, column: note.place.column })),
  }));
}
