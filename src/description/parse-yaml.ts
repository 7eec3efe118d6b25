import { Composer, isScalar, Lexer, LineCounter, Parser, type CST, type Document } from 'yaml';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { inspectDocument } from './inspect-document.ts';

/** A mistake that stops reading; it knows its place in the text, since there is no path yet. */
export interface SyntaxMistake {
  readonly code: DiagnosticCode;
  readonly message: string;
  /** Offset into the text, in UTF-16 units. */
  readonly offset: number;
  /** Where the same thing stood first. */
  readonly first?: number;
}

export type ParsedYaml =
  | { readonly kind: 'document'; readonly document: Document; readonly value: unknown; readonly lines: LineCounter }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly SyntaxMistake[]; readonly lines: LineCounter };

/** Reads one YAML 1.2 document. */
export function parseYaml(text: string): ParsedYaml {
  const lines = countLines(text);
  const stop = (...mistakes: SyntaxMistake[]): ParsedYaml => ({ kind: 'mistakes', mistakes, lines });

  const control = findControlCharacter(text);
  if (control !== undefined) return stop(control);
  const parsed = parseTokens(text);
  if ('code' in parsed) return stop(parsed);
  // With stringKeys, `null:` and `1.30:` are keys of that name; without known tags, `!!binary` is refused.
  const options = { prettyErrors: false, uniqueKeys: false, stringKeys: true, resolveKnownTags: false } as const;
  const documents: Document.Parsed[] = [...new Composer(options).compose(parsed)];

  const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (errors.length > 0) return stop(...explainErrors(errors));
  const [document, second] = documents;
  if (document === undefined || (isScalar(document.contents) && document.contents.value === null)) {
    return stop({
      code: 'empty-description',
      message: 'there is nothing in this file; `bake init` writes one to start from',
      offset: 0,
    });
  }
  if (second !== undefined) {
    const offset = second.range[0];
    return stop({
      code: 'several-documents',
      message: 'a second YAML document starts here; keep one cluster per file',
      offset,
    });
  }
  if (document.directives.yaml.version !== '1.2') {
    const offset = text.indexOf('%YAML');
    return stop({ code: 'yaml-syntax', message: 'bake reads YAML 1.2; remove this line', offset });
  }
  const mistakes = inspectDocument(document);
  if (mistakes.length > 0) return stop(...mistakes);
  return { kind: 'document', document, value: document.toJS({ maxAliasCount: -1 }), lines };
}

function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1);
  return lines;
}

/** YAML forbids most control characters (https://yaml.org/spec/1.2.2/#51-character-set); the library lets them pass. */
function findControlCharacter(text: string): SyntaxMistake | undefined {
  // eslint-disable-next-line no-control-regex
  const offset = text.search(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|\r(?!\n)/);
  if (offset === -1) return undefined;
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0');
  const message = `a control character (U+${code}) stands here; remove it, or save the file as plain text`;
  return { code: 'control-character', message, offset };
}

/** No description is as deep as this. The library recurses, and deep enough it takes the process down. */
const MAX_DEPTH = 100;

function parseTokens(text: string): CST.Token[] | SyntaxMistake {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) {
      return {
        code: 'too-deep',
        message: 'nothing in a description is nested as deep as this; take levels away',
        offset: parser.offset,
      };
    }
  }
  tokens.push(...parser.end());
  return tokens;
}

interface LibraryError {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** One mistake often makes the library say several things; the first about a place is the one that helps. */
function explainErrors(errors: readonly LibraryError[]): SyntaxMistake[] {
  const places = new Set<number>();
  return errors.flatMap((error) => {
    const [offset] = error.pos;
    if (places.has(offset)) return [];
    places.add(offset);
    return explainError(error, offset);
  });
}

/** What the library says about the commonest mistakes is about its own insides; these say what to do. */
const remedies: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY:
    'what follows a colon here has a key of its own; put the value in quotes if it is text, or line up the lines below',
  MULTILINE_IMPLICIT_KEY:
    'a key must stand on one line, with a colon after it; add the colon, or line up the lines below',
  NON_STRING_KEY: 'a key must be plain text; write a name here',
};

function explainError({ code, message }: LibraryError, offset: number): SyntaxMistake {
  if (code === 'TAB_AS_INDENT') return { code: 'yaml-tab', message: 'a tab cannot indent YAML; use spaces', offset };
  const words = remedies[code] ?? `${lowerFirst(message)}; correct the YAML here or just above`;
  return { code: 'yaml-syntax', message: words, offset };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
