/** What ends something that was begun. */
export type Ending = () => unknown;

/**
 * Does some work, and then all endings that it has pushed, the last one first, whatever fails on the way.
 * @throws what failed first
 */
export async function withEndings<T>(work: (endings: Ending[]) => Promise<T>): Promise<T> {
  const endings: Ending[] = [];
  const errors: unknown[] = [];
  const attempt = async <R>(step: () => R): Promise<Awaited<R> | undefined> => {
    try {
      return await step();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const result = await attempt(() => work(endings));
  for (const ending of endings.reverse()) await attempt(ending);
  if (errors.length > 0) throw errors[0];
  return result as T;
}
