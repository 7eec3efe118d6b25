import assert from 'node:assert/strict';
import { test } from 'uvu';
import { byVersion, minorOf, satisfies, toSemver } from '../../src/catalog/satisfies.ts';

test("runc's candidates count by number, not letter by letter", () => {
  const newestFirst = ['1.0.0', '1.0.0-rc95', '1.0.0-rc93', '1.0.0-rc10', '1.0.0-rc9', '1.0.0-rc2'];
  assert.deepEqual([...newestFirst].reverse().sort(byVersion), newestFirst);

  assert.equal(satisfies('1.0.0-rc92', '<1.0.0-rc.93'), true);
  assert.equal(satisfies('1.0.0-rc9', '<1.0.0-rc.93'), true);
  assert.equal(satisfies('1.0.0-rc93', '<1.0.0-rc.93'), false);
  assert.equal(satisfies('1.0.0', '<1.0.0-rc.93'), false);
});

test('a pre-release belongs to the release that it comes before', () => {
  assert.equal(satisfies('1.4.0-beta.1', '<1.4'), false);
  assert.equal(satisfies('2.1.0-rc.0', '>=2.1'), true);
  assert.equal(satisfies('1.3.10', '<1.4'), true);
});

test('versions of glibc, kernels and systemd have less than three numbers', () => {
  assert.equal(toSemver('2.27'), '2.27.0');
  assert.equal(satisfies('2.27', '<2.31'), true);
  assert.equal(satisfies('2.36', '<2.35'), false);
  assert.equal(satisfies('237', '<240'), true);
});

test('what is no version lies in no range', () => {
  assert.equal(satisfies('latest', '*'), false);
  assert.equal(minorOf('latest'), NaN);
  assert.equal(minorOf('1.18'), 18);
});

test.run();
