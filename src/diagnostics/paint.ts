/** Colours for a terminal, or none (SGR, ECMA-48 8.3.117). */
export interface Paint {
  red(text: string): string;
  yellow(text: string): string;
  bold(text: string): string;
}

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;

export const coloured: Paint = { red: sgr(31, 39), yellow: sgr(33, 39), bold: sgr(1, 22) };

export const plain: Paint = { red: (text) => text, yellow: (text) => text, bold: (text) => text };
