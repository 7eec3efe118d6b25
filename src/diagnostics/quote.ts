const MAX_SHOWN = 80;

/** Shows what was written inside a message: in quotes, on one line, not too long, harmless to a terminal. */
export function quote(text: string): string {
  const shown = text.replace(/(-----BEGIN [A-Z ]*PRIVATE KEY-----)[^]+/, '$1…').replace(PASSWORD, '$1…');
  const short = shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN - 1)}…` : shown;
  return JSON.stringify(short).replace(
    INVISIBLE,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}

/** The same for any value of YAML. */
export function showValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return typeof value === 'string' ? quote(value) : String(value);
}

/** Control characters, which a terminal acts on, and marks that turn the direction of writing; no tabs. */
const INVISIBLE = /[^\P{C}\t]/gu;

/**
 * A line of the source as it may be shown. Each character keeps its place, so that a caret below still points at what
 * it means.
 */
export function showable(line: string): string {
  return line.replace(/\r$/, '').replace(INVISIBLE, '\ufffd');
}

/** In a URL, between its user and its @. */
const PASSWORD = /(:\/\/[^/@:\s]*:)([^@/\s]+)(?=@)/g;

/** Hides passwords in URLs, and what stands between the BEGIN and the END of a private key; lines and columns stay. */
export function withoutSecrets(text: string): string {
  const withoutPasswords = text.replace(PASSWORD, (_, before: string, password: string) => {
    return before + '•'.repeat(password.length);
  });
  return withoutPasswords.replace(
    /(-----BEGIN [A-Z ]*PRIVATE KEY-----)([^]*?)(-----END|$)/g,
    (_, begin: string, body: string, end: string) => {
      return begin + body.replace(/[^\n]/g, '•') + end;
    },
  );
}
