/** Why a source did not give what it was asked for, in words that follow its name in a message. */
export class SourceTrouble extends Error {
  override readonly name = 'SourceTrouble';
  /** Whether asking the same source again may help. */
  readonly again: boolean;
  /** How long the source wants to be left alone. */
  readonly retryAfterMs: number;
  /** Whether the source is well and has no such file. */
  readonly missing: boolean;

  constructor(message: string, options: { again: boolean; retryAfterMs?: number; missing?: boolean }) {
    super(message);
    this.again = options.again;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.missing = options.missing ?? false;
  }
}

/** A file somewhere else, being read. */
export interface OpenedSource {
  /** Of the first byte that comes: 0 where the source gives all of it although the rest was asked for. */
  readonly offset: number;
  /** Bytes of the whole file; undefined where the source does not say. */
  readonly size: number | undefined;
  /** By which the source tells versions of the file apart; undefined where it does not promise to. */
  readonly tag: string | undefined;
  /** @throws SourceTrouble */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface OpenOptions {
  readonly offset: number;
  /** The rest is wanted only of this version. */
  readonly tag: string | undefined;
  readonly signal: AbortSignal;
}
