/** Longer ones fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How much may wait, in characters: an apiserver ends a watch whose reader is slow, and has little to tell who begins anew. */
const MAX_HELD = 32 << 20;

/** Reads on from when it is made, while somebody works on what has come: nobody sends for long to one who does not read. */
export class ReadAhead<T extends { readonly size: number }> {
  #come: T[] = [];
  #held = 0;
  #take: () => void = () => undefined;
  #began: number | undefined;
  #end: { readonly at: number; readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  constructor(source: AsyncIterable<T>) {
    void this.#read(source);
  }

  async #read(source: AsyncIterable<T>): Promise<void> {
    try {
      for await (const one of source) {
        this.#began ??= performance.now();
        this.#come.push(one);
        this.#held += one.size;
        const isTaken = new Promise<void>((resolve) => (this.#take = resolve));
        this.#wake();
        if (this.#held > MAX_HELD) await isTaken;
      }
      this.#end = { at: performance.now() };
    } catch (error) {
      this.#end = { at: performance.now(), error };
    }
    this.#wake();
  }

  /** How long things came, or could; Infinity where they still can. */
  get lastedMs(): number {
    return this.#end === undefined ? Infinity : this.#end.at - (this.#began ?? this.#end.at);
  }

  /**
   * All that has come since; where that is nothing, what comes next.
   * @returns nothing where nothing comes in time, and undefined once the source has ended
   * @throws as the source, once all that came before has been given
   */
  async next(waitMs: number): Promise<readonly T[] | undefined> {
    if (this.#come.length === 0 && this.#end === undefined) await this.#wait(waitMs);
    if (this.#come.length === 0 && this.#end !== undefined) {
      if ('error' in this.#end) throw this.#end.error;
      return undefined;
    }
    const come = this.#come;
    this.#come = [];
    this.#held = 0;
    this.#take();
    return come;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
