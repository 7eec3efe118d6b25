import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { withEndings } from '../../src/rehearse/with-endings.ts';

const endings = suite('withEndings');

/** @param failing what fails of the work and its two endings */
async function outcome(...failing: readonly string[]): Promise<readonly unknown[]> {
  const done: string[] = [];
  const step = async (name: string) => {
    await Promise.resolve();
    done.push(name);
    if (failing.includes(name)) throw new Error(name);
    return name;
  };
  const work = (list: (() => unknown)[]) => {
    list.push(
      () => step('first'),
      () => step('last'),
    );
    return step('work');
  };
  const result = await withEndings(work).catch((error: unknown) => String(error));
  return [result, ...done];
}

endings('all of them are run, the last one first', async () => {
  assert.deepEqual(await outcome(), ['work', 'work', 'last', 'first']);
});

endings('one that fails keeps no other from being run, and is told', async () => {
  assert.deepEqual(await outcome('last'), ['Error: last', 'work', 'last', 'first']);
  assert.deepEqual(await outcome('last', 'first'), ['Error: last', 'work', 'last', 'first']);
});

endings('why the work failed is told before why its endings did', async () => {
  assert.deepEqual(await outcome('work', 'last'), ['Error: work', 'work', 'last', 'first']);
});

endings.run();
