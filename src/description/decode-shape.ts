import type { Document } from 'yaml';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { explainIssue, type ShapeDiagnostic } from './explain-issue.ts';
import { findMangledNumbers } from './mangled-numbers.ts';
import { clusterSpecShape, type ClusterSpec } from './shape/cluster-spec.ts';

/** Checks the shape of the whole description; every mistake is reported, none hides another. */
export function decodeShape(value: unknown, document: Document): { spec: ClusterSpec } | { diagnostics: Diagnostic[] } {
  const mangled = [...findMangledNumbers(document)];
  const decoded = clusterSpecShape.safeParse(value, { reportInput: true });
  if (decoded.success && mangled.length === 0) return { spec: decoded.data };
  const issues = decoded.error?.issues ?? [];
  return { diagnostics: withoutEchoes([...mangled, ...issues.flatMap(explainIssue)]) };
}

/** Says each mistake once: a mangled number mostly also has the wrong type, and a misspelt key is also missing. */
function withoutEchoes(diagnostics: readonly ShapeDiagnostic[]): Diagnostic[] {
  const echoes = new Set<string>();
  for (const { code, path, meant } of diagnostics) {
    if (code === 'mangled-number') echoes.add(nameOf('wrong-type', path)).add(nameOf('out-of-range', path));
    if (meant !== undefined) echoes.add(nameOf('missing-key', meant));
  }
  return diagnostics
    .filter(({ code, path }) => !echoes.has(nameOf(code, path)))
    .map(({ code, path, at, message }) => ({ code, path, at, message }));
}

function nameOf(code: string, path: Diagnostic['path']): string {
  return JSON.stringify([code, ...path]);
}
