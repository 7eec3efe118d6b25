/** Everything outside the description that its meaning depends on. It is read first; the rest is pure. */
export interface Inputs {
  /** Files that the description names, by name. */
  readonly files: ReadonlyMap<string, ReadFile>;
  readonly now: Date;
}

export type ReadFile =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'failed'; readonly reason: string };
