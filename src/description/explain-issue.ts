import type { z } from 'zod';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostic, Path } from '../diagnostics/diagnostic.ts';
import { quote, showValue } from '../diagnostics/quote.ts';
import { nearMiss } from './did-you-mean.ts';
import { homesOf, keysAt, purposeOf } from './known-keys.ts';

export interface ShapeDiagnostic extends Diagnostic {
  /** Where the key that was probably meant would stand. */
  readonly meant?: Path;
}

/** Says in the words of cluster.yaml what zod found. */
export function explainIssue(issue: z.core.$ZodIssue): ShapeDiagnostic[] {
  const { input } = issue;
  const path = issue.path as Path;
  const found = (code: DiagnosticCode, message: string): ShapeDiagnostic[] => [{ code, path, at: 'value', message }];

  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainUnknownKey(path, key));
    case 'invalid_type':
      return [explainType(path, issue.expected, input)];
    case 'invalid_value':
      return [explainChoice(path, issue.values.map(String), input)];
    case 'too_small':
      if (Array.isArray(input)) return found('out-of-range', 'this list is empty; write at least one item');
      return found('out-of-range', `${showValue(input)} is too small; write ${issue.minimum} or more`);
    case 'too_big':
      return found('out-of-range', `${showValue(input)} is too large; write ${issue.maximum} or less`);
    case 'custom':
      return found((issue.params?.['code'] ?? 'bad-text') as DiagnosticCode, `${showValue(input)} ${issue.message}`);
    default:
      return found('bad-text', `${showValue(input)} ${issue.message}`);
  }
}

function explainUnknownKey(path: Path, key: string): ShapeDiagnostic {
  const unknown = { code: 'unknown-key', path: [...path, key], at: 'key' } as const;
  const fact = `there is no key ${quote(key)} here`;
  const known = keysAt(path);
  const meant = nearMiss(key, known);
  if (meant !== undefined) return { ...unknown, message: `${fact}; did you mean ${meant}?`, meant: [...path, meant] };
  const homes = homesOf(key);
  const remedy = homes.length > 0 ? `write it as ${homes.join(' or ')}` : `known keys: ${known.join(', ')}`;
  return { ...unknown, message: `${fact}; ${remedy}` };
}

function explainType(path: Path, expected: string, input: unknown): Diagnostic {
  const wanted = typesInWords[expected] ?? expected;
  if (input === undefined) return missingKey(path, wanted);
  if (input === null) return emptyValue(path, wanted);
  const message = `${showValue(input)} stands where ${wanted} belongs; ${remedyOf(expected, input, wanted)}`;
  return { code: 'wrong-type', path, at: 'value', message };
}

function remedyOf(expected: string, input: unknown, wanted: string): string {
  if (expected === 'string' && isScalar(input)) return `write it in quotes: ${quote(String(input))}`;
  if (expected === 'number' && typeof input === 'string' && /^[0-9]+$/.test(input)) return 'remove the quotes';
  return `write ${wanted}`;
}

function explainChoice(path: Path, choices: readonly string[], input: unknown): Diagnostic {
  const wanted = choices.join(' or ');
  if (input === undefined) return missingKey(path, wanted);
  if (input === null && !choices.includes('null')) return emptyValue(path, wanted);
  const written = isScalar(input) ? String(input) : '';
  if (choices.includes(written)) {
    // The 1, null and true of YAML are no text, and "1" is no number.
    const remedy = typeof input === 'string' ? 'remove the quotes' : `write it in quotes: ${quote(written)}`;
    return { code: 'wrong-type', path, at: 'value', message: `${showValue(input)} has the wrong type; ${remedy}` };
  }
  const meant = nearMiss(written, choices);
  const remedy = meant === undefined ? `write ${wanted}` : `did you mean ${meant}? It can be ${wanted}`;
  return { code: 'bad-choice', path, at: 'value', message: `${showValue(input)} is no choice here; ${remedy}` };
}

function isScalar(input: unknown): input is string | number | boolean | null {
  return typeof input !== 'object' || input === null;
}

function missingKey(path: Path, wanted: string): Diagnostic {
  const purpose = purposeOf(path);
  const what = purpose === undefined ? wanted : `${wanted} (${purpose.replace(/\.$/, '')})`;
  return { code: 'missing-key', path, at: 'key', message: `${last(path)} is missing; add ${what}` };
}

function emptyValue(path: Path, wanted: string): Diagnostic {
  const message = `${last(path)} has no value; write ${wanted}, or remove the ${typeof path.at(-1) === 'number' ? 'dash' : 'key'}`;
  return { code: 'empty-value', path, at: 'key', message };
}

/** What zod calls a type, in YAML's words. */
const typesInWords: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function last(path: Path): string {
  const step = path.at(-1);
  if (step === undefined) return 'the description';
  return typeof step === 'number' ? `item ${step + 1}` : step;
}
