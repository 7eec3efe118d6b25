import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const test = suite('Dockerfile');
const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

test('what it copies is all that it is given, and enough', () =>
  inTemporaryFolder((folder) => {
    const [everything, ...excepted] = read('.dockerignore')
      .replaceAll(/^#.*\n/gm, '')
      .trimEnd()
      .split('\n');
    assert.equal(everything, '*');
    const given = excepted.map((line) => /^!([\w.-]+)$/.exec(line)?.[1]);
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    assert.deepEqual(given, copied.toSorted());

    for (const name of copied) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: folder });
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.equal(
      execFileSync('node', ['dist/main.js', '--version'], { cwd: folder, encoding: 'utf8' }).trim(),
      version,
    );
  }));

test('it is built on what is named, by its digest, and on nothing else', () => {
  const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  assert.deepEqual(bases, ['${NODE_IMAGE}', '${NODE_IMAGE}']);
  assert.match(read('Dockerfile'), /^ARG NODE_IMAGE$/m);
});

test.run();
