/** A YAML double-quoted scalar. JSON's is one too (YAML 1.2, 1.3), and PyYAML reads it the same. */
export function quoteYaml(text: string): string {
  return JSON.stringify(text);
}

/** Lines of a literal block (`|`) at a depth of blanks; an empty line stays empty. The text ends with a newline. */
export function indentBlock(text: string, blanks: number): string {
  return text.trimEnd().replace(/^(?=.)/gm, ' '.repeat(blanks));
}
