import type { z } from 'zod';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import type { Diagnostic, Path } from '../diagnostics/diagnostic.ts';
import { quote } from '../diagnostics/quote.ts';
import { nearMiss } from './did-you-mean.ts';
import { homesOf, keysAt } from './known-keys.ts';

export interface ShapeDiagnostic extends Diagnostic {
  /** Where the key that was probably meant would stand. */
  readonly meant?: Path;
}

/** Says in the words of cluster.yaml what zod found. */
export function explainIssue(issue: z.core.$ZodIssue): ShapeDiagnostic[] {
  const path = issue.path as Path;
  const found = (code: DiagnosticCode, message: string): ShapeDiagnostic[] => [{ code, path, at: 'value', message }];
  const isList = Array.isArray(issue.input);

  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => explainUnknownKey(path, key));
    case 'invalid_type':
      return [explainType(path, issue.expected, issue.input)];
    case 'invalid_value':
      return [explainChoice(path, issue.values.map(String), issue.input)];
    case 'too_small':
      return found(
        'out-of-range',
        isList
          ? 'this list is empty; write an item, or remove the key'
          : `${show(issue.input)} must be at least ${issue.minimum}`,
      );
    case 'too_big':
      return found('out-of-range', `${show(issue.input)} must be at most ${issue.maximum}`);
    case 'custom':
      return found((issue.params?.['code'] ?? 'bad-text') as DiagnosticCode, `${show(issue.input)} ${issue.message}`);
    default:
      return found('bad-text', `${show(issue.input)} ${issue.message}`);
  }
}

function explainUnknownKey(path: Path, key: string): ShapeDiagnostic {
  const known = keysAt(path);
  const meant = nearMiss(key, known);
  const homes = homesOf(key);
  const unknown = { code: 'unknown-key', path: [...path, key], at: 'key' } as const;
  const fact = `there is no key ${quote(key)} here`;
  if (meant !== undefined) return { ...unknown, message: `${fact}; did you mean ${meant}?`, meant: [...path, meant] };
  if (homes.length > 0) return { ...unknown, message: `${fact}; it belongs in ${homes.join(' or ')}` };
  return { ...unknown, message: `${fact}; known keys: ${known.join(', ')}` };
}

function explainType(path: Path, expected: string, input: unknown): Diagnostic {
  const wanted = typesInWords[expected] ?? expected;
  if (input === undefined) return missingKey(path, wanted);
  if (input === null) return emptyValue(path, wanted);
  const inQuotes = expected === 'string' && isScalar(input) ? `; write it in quotes: ${quote(String(input))}` : '';
  return { code: 'wrong-type', path, at: 'value', message: `must be ${wanted}, and is ${show(input)}${inQuotes}` };
}

function explainChoice(path: Path, choices: readonly string[], input: unknown): Diagnostic {
  const wanted = choices.join(' or ');
  if (input === undefined) return missingKey(path, wanted);
  if (input === null && !choices.includes('null')) return emptyValue(path, wanted);
  const written = isScalar(input) ? String(input) : '';
  if (choices.includes(written)) {
    // The 1, null and true of YAML are no text, and "1" is no number.
    const remedy = typeof input === 'string' ? 'remove the quotes' : `write it in quotes: ${quote(written)}`;
    return { code: 'wrong-type', path, at: 'value', message: `${show(input)} has the wrong type; ${remedy}` };
  }
  const meant = nearMiss(written, choices);
  const remedy = meant === undefined ? `write ${wanted}` : `did you mean ${meant}?`;
  return { code: 'bad-choice', path, at: 'value', message: `${show(input)} is no choice here; ${remedy}` };
}

function isScalar(input: unknown): input is string | number | boolean | null {
  return typeof input !== 'object' || input === null;
}

function missingKey(path: Path, wanted: string): Diagnostic {
  return { code: 'missing-key', path, at: 'key', message: `${last(path)} is missing; add ${wanted}` };
}

function emptyValue(path: Path, wanted: string): Diagnostic {
  return {
    code: 'empty-value',
    path,
    at: 'key',
    message: `${last(path)} has no value; write ${wanted}, or remove the key`,
  };
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

function show(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (!isScalar(input)) return 'a mapping';
  return typeof input === 'string' ? quote(input) : String(input);
}
