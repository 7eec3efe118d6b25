import semver from 'semver';

/**
 * Whether a version lies in a semver range. Pre-releases count, and `<1.4` leaves out 1.4.0-beta.1, which already is
 * 1.4. Versions of glibc and kernels (`2.27`) and whole numbers are filled up with zeros. False for what is no version.
 */
export function satisfies(version: string, range: string): boolean {
  return semver.satisfies(toSemver(version), range, { includePrerelease: true });
}

/** Newest first. */
export function byVersion(a: string, b: string): number {
  return semver.rcompare(toSemver(a), toSemver(b));
}

/**
 * runc numbered its candidates rc9, rc10, rc93. To semver each is one word, compared letter by letter, so that rc10
 * comes before rc9; with a dot before it the number counts as a number (https://semver.org/#spec-item-11). Ranges are
 * written with the dot: `<1.0.0-rc.93`.
 */
export function toSemver(version: string): string {
  const [core = '', ...rest] = version.split(/(?=[-+])/);
  const filled = [...core.split('.'), '0', '0'].slice(0, Math.max(3, core.split('.').length)).join('.');
  return filled + rest.join('').replace(/^-([A-Za-z]+)(\d+)/, '-$1.$2');
}

/** 18 of 1.18.6; NaN of what is no version. */
export function minorOf(version: string): number {
  return semver.parse(toSemver(version))?.minor ?? NaN;
}
