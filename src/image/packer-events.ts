/** What one line of `packer -machine-readable` tells. */
export type PackerEvent =
  /** A step begins. */
  | { readonly kind: 'step'; readonly text: string }
  /** What a step says, on stdout or stderr. */
  | { readonly kind: 'detail'; readonly text: string }
  /** A key and a value of something that was made, such as `id` and an AMI's. */
  | { readonly kind: 'artifact'; readonly key: string; readonly value: string };

/**
 * Reads a line of Packer's machine-readable output: timestamp, target, type, data…
 * (https://developer.hashicorp.com/packer/docs/commands#machine-readable-output).
 * @returns undefined for what nobody needs to know
 */
export function parsePackerLine(line: string): PackerEvent | undefined {
  const [, , type, ...data] = line.split(',').map(unescaped);
  if (type === 'ui') {
    const [category = '', said = ''] = data;
    const text = said.replace(/^\n/, '');
    const step = category === 'say' ? /^==> [\w-]+\.\w+: (.+)$/.exec(text)?.[1] : undefined;
    return step === undefined
      ? { kind: 'detail', text: text.replace(/^(==>)? *[\w-]+\.\w+: /gm, '') }
      : { kind: 'step', text: step };
  }
  if (type === 'artifact' && data.length >= 3) return { kind: 'artifact', key: data[1] ?? '', value: data[2] ?? '' };
  return undefined;
}

function unescaped(field: string): string {
  return field.replaceAll('%!(PACKER_COMMA)', ',').replaceAll('\\n', '\n').replaceAll('\\r', '');
}
