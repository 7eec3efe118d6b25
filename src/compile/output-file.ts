/** One file to be written below the output folder. */
export interface OutputFile {
  /** Relative, with slashes. */
  readonly path: string;
  /** 0o600 for what holds a secret, 0o755 for what is run, else 0o644. */
  readonly mode: 0o600 | 0o644 | 0o755;
  readonly content: string | Uint8Array;
}
