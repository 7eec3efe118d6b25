import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { suite } from 'uvu';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { expectFile } from '../support/expect-file.ts';
import { readTree } from '../support/read-tree.ts';

// What each description compiles to. The guide's files stand whole in guide/expected; every other case shows only what
// it changes against them, so that a reviewer sees just that.
const here = import.meta.dirname;
const golden = suite('golden');

/** Without bake.json, digests of all the rest, and .gitignore, which would hide the files that are expected here. */
function compiled(name: string): Promise<Map<string, Buffer>> {
  return withCompiled(name, (out) => {
    const files = readTree(out);
    files.delete('bake.json');
    files.delete('.gitignore');
    return files;
  });
}

golden('guide', async () => {
  const files = await compiled('guide');
  const expected = join(here, 'guide/expected');
  const wrong: string[] = [];
  for (const [path, content] of files) {
    try {
      expectFile(join(expected, path), content.toString());
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  assert.deepEqual(wrong, []);
  const surplus = [...readTree(expected).keys()].filter((path) => !files.has(path));
  if (process.env['UPDATE'] === '1') for (const path of surplus) rmSync(join(expected, path));
  assert.deepEqual(surplus, [], 'files that are expected, and not written');
});

for (const name of caseNames.filter((other) => other !== 'guide')) {
  golden(name, async () => {
    const guide = await compiled('guide');
    expectFile(join(here, name, 'against-guide.diff'), difference(guide, await compiled(name)));
  });
}

function difference(before: Map<string, Buffer>, after: Map<string, Buffer>): string {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.map((path) => fileDifference(path, before.get(path), after.get(path))).join('');
}

function fileDifference(path: string, before: Buffer | undefined, after: Buffer | undefined): string {
  if (before !== undefined && after?.equals(before) === true) return '';
  const from = before === undefined ? '/dev/null' : path;
  const to = after === undefined ? '/dev/null' : path;
  if (after !== undefined && !isText(after)) return `--- ${from}\n+++ ${to}\n(binary, ${after.length} bytes)\n`;
  return createTwoFilesPatch(from, to, before?.toString() ?? '', after?.toString() ?? '', '', '', { context: 2 });
}

function isText(content: Buffer): boolean {
  return !content.includes(0);
}

golden.run();
