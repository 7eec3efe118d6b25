import { Composer, isScalar, LineCounter, type Document } from 'yaml';
import { explainYamlErrors } from './explain-yaml-error.ts';
import { readValue } from './read-value.ts';
import type { SyntaxMistake } from './syntax-mistake.ts';
import { yamlTokens } from './yaml-tokens.ts';

export type ParsedYaml =
  | { readonly kind: 'document'; readonly document: Document; readonly value: unknown; readonly lines: LineCounter }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly SyntaxMistake[]; readonly lines: LineCounter };

/** Reads one YAML 1.2 document. */
export function parseYaml(text: string): ParsedYaml {
  const lines = countLines(text);
  const document = readDocument(text);
  if (Array.isArray(document)) return { kind: 'mistakes', mistakes: document, lines };
  const { value, mistakes } = readValue(document);
  return mistakes.length > 0 ? { kind: 'mistakes', mistakes, lines } : { kind: 'document', document, value, lines };
}

function readDocument(text: string): Document | SyntaxMistake[] {
  const control = findControlCharacter(text);
  if (control !== undefined) return [control];
  const tokens = yamlTokens(text);
  if ('code' in tokens) return [tokens];

  // With stringKeys, `null:` and `1.30:` are keys of that name; without known tags, `!!binary` is refused.
  const options = { prettyErrors: false, uniqueKeys: false, stringKeys: true, resolveKnownTags: false } as const;
  const documents: Document.Parsed[] = [...new Composer(options).compose(tokens)];
  const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (errors.length > 0) return explainYamlErrors(errors);

  const [document, second] = documents;
  if (second !== undefined) {
    const message = 'a second YAML document starts here; keep one cluster per file';
    return [{ code: 'several-documents', message, offset: second.range[0] }];
  }
  if (document === undefined || (isScalar(document.contents) && document.contents.value === null)) {
    const message = 'there is nothing in this file; `bake init` writes one to start from';
    return [{ code: 'empty-description', message, offset: 0 }];
  }
  if (document.directives.yaml.version !== '1.2') {
    const message = 'bake reads YAML 1.2; remove this line';
    return [{ code: 'yaml-syntax', message, offset: text.indexOf('%YAML') }];
  }
  return document;
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
