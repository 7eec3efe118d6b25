/** `summary` is one line; `story` says what was found, why it matters, and what to do. */
export interface CodeEntry {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly story: string;
}
