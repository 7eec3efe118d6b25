import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { refusalReasons } from '../../src/csr/refusal-reasons.ts';

const reasons = suite('the reasons of refusals');

reasons('docs/approval.md lists each, in the same words', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/approval.md'), 'utf8');
  const listed = [...document.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, code, summary]) => [code, summary]);
  assert.deepEqual(
    listed,
    Object.entries(refusalReasons).map(([code, { summary }]) => [code, summary]),
  );
});

reasons.run();
