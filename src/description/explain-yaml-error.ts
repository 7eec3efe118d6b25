import type { SyntaxMistake } from './syntax-mistake.ts';

interface LibraryError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** One mistake often makes the library say several things; the first about a place is the one that helps. */
export function explainYamlErrors(errors: readonly LibraryError[]): SyntaxMistake[] {
  const firsts = new Map<number, LibraryError>();
  for (const error of errors) if (!firsts.has(error.pos[0])) firsts.set(error.pos[0], error);
  return [...firsts.values()].map(explain);
}

function explain({ code, message, pos: [offset] }: LibraryError): SyntaxMistake {
  if (code === 'TAB_AS_INDENT') return { code: 'yaml-tab', message: 'a tab cannot indent YAML; use spaces', offset };
  const words = inWords[code] ?? `${lowerFirst(message)}; correct the YAML here or just above`;
  return { code: 'yaml-syntax', message: words, offset };
}

/** What the library says of the commonest mistakes is about its own insides. */
const inWords: Readonly<Record<string, string>> = {
  BAD_SCALAR_START: 'text cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'what follows a colon here has a key of its own; put the value in quotes if it is text, or line up the lines below',
  MULTILINE_IMPLICIT_KEY:
    'a key must stand on one line, with a colon after it; add the colon, or line up the lines below',
  NON_STRING_KEY: 'a key must be plain text; write a name here',
  TAG_RESOLVE_FAILED: 'a description needs no tags; remove this one',
};

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
