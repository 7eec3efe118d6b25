import type { Document, LineCounter } from 'yaml';
import type { Cluster } from '../cluster/cluster.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { codes } from '../diagnostics/codes.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { locate, placeOfOffset, type LocatedDiagnostic } from '../diagnostics/locate.ts';
import { decodeShape } from './decode-shape.ts';
import type { Inputs } from './inputs.ts';
import { parseYaml } from './parse-yaml.ts';
import { resolveCluster } from './resolve-cluster.ts';
import { allRules } from './rules/all-rules.ts';
import type { SyntaxMistake } from './syntax-mistake.ts';
import type { ClusterSpec } from './shape/cluster-spec.ts';

/** A description whose YAML and shape are right; what it means is still to be checked. */
export interface Written {
  readonly spec: ClusterSpec;
  readonly document: Document;
  readonly lines: LineCounter;
}

export type Outcome<T> =
  | { readonly kind: 'good'; readonly value: T; readonly warnings: readonly LocatedDiagnostic[] }
  | { readonly kind: 'bad'; readonly diagnostics: readonly LocatedDiagnostic[] };

/** First half of reading: YAML (a mistake stops) and shape (all mistakes). */
export function readWritten(text: string): Outcome<Written> {
  const parsed = parseYaml(text);
  if (parsed.kind === 'mistakes') {
    return { kind: 'bad', diagnostics: parsed.mistakes.map((mistake) => locateMistake(mistake, parsed.lines)) };
  }
  const { document, lines } = parsed;
  const decoded = decodeShape(parsed.value, document);
  if ('diagnostics' in decoded) return { kind: 'bad', diagnostics: locate(decoded.diagnostics, document, lines) };
  return { kind: 'good', value: { spec: decoded.spec, document, lines }, warnings: [] };
}

/** The files that the description names and that must be read before its second half. */
export function namedFiles({ controlPlane, image }: ClusterSpec): string[] {
  const { certificateAuthority, kubeletClientCertificate } = controlPlane;
  const client = kubeletClientCertificate === undefined ? [] : [kubeletClientCertificate];
  return [certificateAuthority, ...client, ...(image?.scripts ?? [])];
}

/** Second half: defaults, and every rule. A Cluster comes out only when no rule found an error. */
export function readMeaning({ spec, document, lines }: Written, inputs: Inputs): Outcome<Cluster> {
  const cluster = resolveCluster(spec, inputs);
  const found: Diagnostic[] = allRules.flatMap((rule) => [...rule({ spec, cluster, inputs })]);
  const diagnostics = locate(found, document, lines);
  const isError = (diagnostic: { code: DiagnosticCode }): boolean => codes[diagnostic.code].severity === 'error';
  if (diagnostics.some(isError)) return { kind: 'bad', diagnostics };
  return { kind: 'good', value: cluster, warnings: diagnostics };
}

function locateMistake({ code, message, offset, first }: SyntaxMistake, lines: LineCounter): LocatedDiagnostic {
  const notes = first === undefined ? [] : [{ message: 'it is here first', place: placeOfOffset(lines, first) }];
  return { code, message, path: [], at: 'value', place: placeOfOffset(lines, offset), notes };
}
