import type { Test } from 'uvu';

/** Why tests were skipped, one line each; test/run.ts accepts no skipped test without a line here. */
export const skipReasons: string[] = [];

/**
 * Registers a test; where the machine lacks what it needs, says what is missing instead.
 * @param missing what is missing, undefined when nothing is
 */
export function testUnless<T>(
  suite: Test<T>,
  missing: string | undefined,
  name: string,
  test: (context: T) => Promise<void> | void,
): void {
  if (missing === undefined) {
    suite(name, test);
    return;
  }
  suite.skip(name);
  skipReasons.push(`${name}: ${missing}`);
}

/**
 * Has a suite prepare what its tests need; nothing, where the machine lacks something.
 * @param missing what is missing, undefined when nothing is
 */
export function beforeUnless<T>(
  suite: Test<T>,
  missing: string | undefined,
  prepare: (context: T) => Promise<void>,
): void {
  if (missing !== undefined) return;
  suite.before(async (context) => {
    try {
      await prepare(context);
    } catch (error) {
      // uvu says nothing of it.
      console.log(error);
      throw error;
    }
  });
}
