import type { PackerEvent } from './packer-events.ts';

/** As much of what failed as one reads without scrolling; the log has the rest. */
const LAST_LINES = 30;

/** What Packer told, as far as somebody wants to know it when a build has failed. */
export class Story {
  #step = 'packer';
  #said: string[] = [];
  #reason: string | undefined;
  #over = false;
  #artifactId: string | undefined;

  hear(event: PackerEvent): void {
    switch (event.kind) {
      case 'artifact':
        if (event.key === 'id') this.#artifactId = event.value;
        break;
      case 'step':
        // From here on Packer tells how it cleans up.
        if (/^(Provisioning step had errors|Deleting|Terminating|Cleaning up)/.test(event.text)) this.#over = true;
        if (this.#over) break;
        this.#step = event.text;
        this.#said = [];
        break;
      case 'detail':
        this.#reason = /^Build '.+' errored after .+?: ([^]+)$/.exec(event.text)?.[1] ?? this.#reason;
        if (!this.#over && this.#reason === undefined) this.#said.push(...event.text.trimEnd().split('\n'));
    }
  }

  get artifactId(): string | undefined {
    return this.#artifactId;
  }

  /** What went wrong, in Packer's and the scripts' own words. */
  ending(log: string): string {
    const said = [...this.#said.slice(-LAST_LINES), ...(this.#reason?.split('\n') ?? [])];
    const lines = said.filter((line) => line.trim() !== '').map((line) => `\n  ${line}`);
    return `${this.#step}: failed; all that Packer said is in ${log}${lines.join('')}`;
  }
}
