import type { DiagnosticCode } from './codes.ts';

/** Keys and indices from the top of the description: ['nodes', 1, 'address']. */
export type Path = readonly (string | number)[];

/** Something to say about one place of the description. Rules know paths only; locate.ts adds line and column. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly path: Path;
  /** Whether the caret goes to the key or to the value. */
  readonly at: 'key' | 'value';
  /** The fact, then the remedy. */
  readonly message: string;
  /** Further places, such as where a duplicate was first. */
  readonly notes?: readonly Note[];
}

export interface Note {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly message: string;
}
