import { stringify } from 'yaml';

/** A YAML double-quoted scalar. JSON's is one too (YAML 1.2, 1.3), and PyYAML reads it the same. */
export function quoteYaml(text: string): string {
  return escapeBreaks(JSON.stringify(text));
}

/**
 * A YAML mapping as block style. kubelet and cloud-init read YAML 1.1, to which yes, 012 and 1:30 are no strings unless
 * quoted, so that every string is. Ends with a newline.
 */
export function toYaml(value: object): string {
  const options = { version: '1.1', defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN', lineWidth: 0 } as const;
  return escapeBreaks(stringify(value, options));
}

/** YAML 1.1 takes these for line breaks (5.4), and U+FEFF for a byte order mark; JSON.stringify leaves all as they are. */
function escapeBreaks(quoted: string): string {
  return quoted.replace(/[\u0085\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Lines of a literal block (`|`) at a depth of blanks; an empty line stays empty. The text ends with a newline. */
export function indentBlock(text: string, blanks: number): string {
  return text.trimEnd().replace(/^(?=.)/gm, ' '.repeat(blanks));
}
