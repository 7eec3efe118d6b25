import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { suite } from 'uvu';
import { ReadAhead } from '../../src/approve/read-ahead.ts';

const reading = suite('ReadAhead');

reading('what nobody takes is not read on and on, and nothing is lost', async () => {
  let read = 0;
  async function* source() {
    while (read < 100) {
      read += 1;
      await setImmediate();
      yield { size: 1 << 20, number: read };
    }
  }
  const ahead = new ReadAhead(source());
  const numbers: number[] = [];
  for (;;) {
    for (let turn = 0; turn < 300; turn += 1) await setImmediate();
    assert.ok(read - numbers.length <= 33, `${read} are read, ${numbers.length} taken`);
    const come = await ahead.next(1000);
    if (come === undefined) break;
    numbers.push(...come.map(({ number }) => number));
  }
  assert.deepEqual(
    numbers,
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

reading.run();
