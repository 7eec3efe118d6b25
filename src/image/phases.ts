import type { Stream } from '../edges/surroundings.ts';

export interface Phase {
  readonly name: string;
  readonly seconds: number;
}

type Ending = 'done' | 'failed' | 'interrupted';

const TICK_MS = 1000;

/** Tells what a bake is at: a line for each phase with the seconds that it took; on a terminal also the one that runs. */
export class Phases {
  readonly #screen: Stream;
  readonly #done: Phase[] = [];
  readonly #ticker: NodeJS.Timeout | undefined;
  #current: { name: string; since: number } | undefined;

  constructor(screen: Stream) {
    this.#screen = screen;
    if (screen.isTTY !== true) return;
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#ticker.unref();
  }

  /** Begins a phase, which ends the one before. */
  begin(name: string): void {
    this.#finish('done');
    this.#current = { name, since: performance.now() };
    this.#tick();
  }

  /** A phase that shows by itself how far it is. */
  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const since = performance.now();
    const result = await work();
    this.#tell({ name, seconds: (performance.now() - since) / 1000 });
    return result;
  }

  /** Ends the last phase. */
  end(how: Ending): readonly Phase[] {
    clearInterval(this.#ticker);
    this.#finish(how);
    return this.#done;
  }

  #finish(how: Ending): void {
    if (this.#current === undefined) return;
    const phase = { name: this.#current.name, seconds: (performance.now() - this.#current.since) / 1000 };
    this.#current = undefined;
    this.#tell(phase, how);
  }

  #tell(phase: Phase, how: Ending = 'done'): void {
    this.#done.push(phase);
    this.#screen.write(`${this.#overwrite()}${line(phase)}${how === 'done' ? '' : `  ${how}`}\n`);
  }

  #tick(): void {
    if (this.#screen.isTTY !== true || this.#current === undefined) return;
    const { name, since } = this.#current;
    this.#screen.write(this.#overwrite() + line({ name, seconds: (performance.now() - since) / 1000 }, 0));
  }

  #overwrite(): string {
    return this.#screen.isTTY === true ? '\r\u001b[K' : '';
  }
}

function line({ name, seconds }: Phase, digits = 1): string {
  return `${seconds.toFixed(digits).padStart(7)} s  ${name}`;
}
