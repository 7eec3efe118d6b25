import type { Patience } from './sources.ts';

/** Where text goes; whoever shows progress there asks whether somebody watches. */
export interface Stream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** What fetching and baking need of the process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: Stream;
  readonly signal: AbortSignal;
  /** Other than usual where a test has no time. */
  readonly patience?: Patience;
}
