import type { DiagnosticCode } from './codes.ts';

/** What the process ends with; scripts rely on the numbers. */
export const exitCodes = { done: 0, description: 1, usage: 2, outside: 3, bug: 70 } as const;

/**
 * Something outside the description went wrong (a disk, a permission, a missing file). It prints as one line with its
 * code, never with a stack trace.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: DiagnosticCode;
  readonly exitCode: number;
  /** What the JSON of a command says besides. */
  readonly details: object;

  /** @param message the fact, then the remedy */
  constructor(code: DiagnosticCode, message: string, exitCode: number = exitCodes.outside, details: object = {}) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
    this.details = details;
  }
}
