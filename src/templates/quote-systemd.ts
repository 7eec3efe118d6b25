/**
 * One word of ExecStart=, which arrives as it is: systemd would expand `%` and `$`, and read backslashes and quotes
 * (https://www.freedesktop.org/software/systemd/man/systemd.service.html#Command%20lines). Plain words stay plain.
 */
export function quoteSystemdWord(word: string): string {
  const expanded = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w.,:/=@%$+-]+$/.test(expanded) ? expanded : `"${expanded.replace(/[\\"]/g, '\\$&')}"`;
}
