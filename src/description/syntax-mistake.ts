import type { DiagnosticCode } from '../diagnostics/codes.ts';

/** A mistake that stops reading; it knows its place in the text, since there is no path yet. */
export interface SyntaxMistake {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** Offset into the text, in UTF-16 units. */
  readonly offset: number;
  /** Where the same thing stood first. */
  readonly first?: number;
}
