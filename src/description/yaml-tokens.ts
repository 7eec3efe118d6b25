import { Lexer, Parser, type CST } from 'yaml';
import type { SyntaxMistake } from './syntax-mistake.ts';

/** No description is as deep as this. The library recurses, and deep enough it takes the whole process down. */
const MAX_DEPTH = 100;

/** In the library's stream, this lexeme comes before a plain scalar and before the lines of a block scalar. */
const SCALAR = '\u001f';

/** The first half of parsing, which does not recurse; it stops where the second half could say nothing useful. */
export function yamlTokens(text: string): CST.Token[] | SyntaxMistake {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let previous = '';
  for (const lexeme of new Lexer().lex(text)) {
    if (previous !== SCALAR && isUnclosedQuote(lexeme)) {
      const message = 'this quote is opened and never closed; close it, or put the whole text into the other quotes';
      return { code: 'yaml-syntax', message, offset: parser.offset };
    }
    tokens.push(...parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH) {
      const message = 'nothing in a description is nested as deep as this; take levels away';
      return { code: 'too-deep', message, offset: parser.offset };
    }
    previous = lexeme;
  }
  tokens.push(...parser.end());
  return tokens;
}

/** The library says this of the end of the file. */
function isUnclosedQuote(lexeme: string): boolean {
  const quote = lexeme.charAt(0);
  return (quote === '"' || quote === "'") && (lexeme.length === 1 || !lexeme.endsWith(quote));
}
