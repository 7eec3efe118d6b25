import type { SingleBar } from 'cli-progress';
import type { Stream } from '../edges/surroundings.ts';

const SHOW_AFTER_MS = 1000;

/** Tells of what takes longer than a second: by a bar on a terminal, elsewhere by a line when it begins and for each file. */
export class Progress {
  readonly #screen: Stream;
  readonly #what: string;
  readonly #total: number;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  #bar: SingleBar | undefined;
  #bytes = 0;
  #ended = false;

  /**
   * @param what such as `fetching 6 files`
   * @param total bytes that will come
   */
  constructor(screen: Stream, what: string, total: number) {
    this.#screen = screen;
    this.#what = what;
    this.#total = total;
    this.#timer = setTimeout(() => void this.#show(), SHOW_AFTER_MS);
    this.#timer.unref();
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#bar?.update(this.#bytes, this.#figures());
  }

  /** One file is done, and what can be said of it. */
  say(line: string): void {
    if (this.#screen.isTTY === true || performance.now() - this.#started < SHOW_AFTER_MS) return;
    this.#screen.write(`${line}\n`);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#bar?.stop();
  }

  async #show(): Promise<void> {
    if (this.#screen.isTTY !== true) {
      this.#screen.write(`${this.#what}…\n`);
      return;
    }
    const { progressBar } = await import('./progress-bar.ts');
    if (this.#ended) return;
    this.#bar = progressBar(this.#screen, this.#what);
    this.#bar.start(this.#total, this.#bytes, this.#figures());
  }

  #figures(): { megabytes: string; rate: string } {
    const seconds = (performance.now() - this.#started) / 1000;
    return {
      megabytes: `${megabytes(this.#bytes)} of ${megabytes(this.#total)}`,
      rate: `${megabytes(this.#bytes / seconds)}/s`,
    };
  }
}

/** Decimal, as download pages have it. */
export function megabytes(bytes: number): string {
  const mega = bytes / 1e6;
  return `${mega < 10 ? mega.toFixed(1) : mega.toFixed(0)} MB`;
}
