import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { Failure } from '../diagnostics/failure.ts';

/** How a failing step is told: the code, the fact that comes before the system's own words, and the remedy after them. */
export interface DiskTrouble {
  readonly code: DiagnosticCode;
  readonly fact: string;
  readonly remedy: string;
}

/**
 * Runs one step that touches the disk.
 * @throws Failure `disk-full`, or `trouble.code` for whatever else the system refuses
 */
export function onDisk<T>(trouble: DiskTrouble, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw asFailure(error, trouble);
  }
}

/** What the system refused, as a Failure; any other error, which is a mistake of ours, as it is. */
export function asFailure(error: unknown, { code, fact, remedy }: DiskTrouble): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const { code: errno = '' } = error as NodeJS.ErrnoException;
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new Failure(
      'disk-full',
      `${fact}: the disk is full (${errno}); what was there is as it was: free some space and run again`,
    );
  }
  return new Failure(code, `${fact}: ${error.message}; ${remedy}`);
}
