import type { Patience } from '../edges/sources.ts';

/** Where progress is shown. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** What fetching needs of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: Screen;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly patience?: Patience;
}
