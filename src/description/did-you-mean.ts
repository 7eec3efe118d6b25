import { distance } from 'fastest-levenshtein';

/** `did you mean …?` for a near miss. */
export function didYouMean(written: string, known: readonly string[]): string | undefined {
  const meant = nearMiss(written, known);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

/** The known name that was probably meant: case aside, at most two in five letters differ (a swap counts as two). */
export function nearMiss(written: string, known: readonly string[]): string | undefined {
  const scored = known.map((name) => ({ name, wrong: distance(written.toLowerCase(), name.toLowerCase()) }));
  return scored
    .filter(({ name, wrong }) => wrong <= Math.max(1, Math.floor(name.length * 0.4)))
    .sort((a, b) => a.wrong - b.wrong)[0]?.name;
}
