import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const runner = suite('test/run.ts');
const root = join(import.meta.dirname, '../..');

interface Outcome {
  readonly exitCode: number | undefined;
  readonly output: string;
  readonly lastLine: string | undefined;
}

/** Runs the runner on a project that consists of these files: test/NAME -> content. */
function runTests(files: Record<string, string>, args: readonly string[], env = {}): Promise<Outcome> {
  return inTemporaryFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, 'test', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const tsx = join(root, 'node_modules/tsx/dist/loader.mjs');
    const { exitCode, all } = await execa(process.execPath, ['--import', tsx, join(root, 'test/run.ts'), ...args], {
      cwd: folder,
      env: { CI: '', NO_COLOR: '1', ...env },
      all: true,
      reject: false,
    });
    return { exitCode, output: all, lastLine: all.split('\n').at(-1) };
  });
}

/** A test file whose only suite is `t`; `body` registers the tests. */
function file(body: string): string {
  const support = join(root, 'test/support/skip.ts');
  return `import { suite } from 'uvu';
    import { testUnless } from ${JSON.stringify(support)};
    void testUnless;
    const t = suite('fixture');
    ${body}`;
}

const passing = file(`t('passes', () => {}); t.run();`);

runner('counts the tests of the groups named', async () => {
  const files = {
    'unit/a.test.ts': passing,
    'unit/deep/b.test.ts': passing,
    'cli/c.test.ts': passing,
    'e2e/d.test.ts': passing,
  };
  const { exitCode, lastLine, output } = await runTests(files, ['unit', 'cli']);
  assert.equal(lastLine, '3 passed, 0 failed', output);
  assert.equal(exitCode, 0);
  assert.equal(output.match(/passed/g)?.length, 1);
});

runner('takes what is no group for a part of a file name', async () => {
  const files = { 'e2e/nginx.test.ts': passing, 'e2e/packer.test.ts': passing };
  const { exitCode, lastLine, output } = await runTests(files, ['e2e', '--', 'pack']);
  assert.equal(lastLine, '1 passed, 0 failed', output);
  assert.equal(exitCode, 0);
});

/** Each runs `unit`; the last line must be the one given, and the output must say why. */
const failures: {
  title: string;
  files: Record<string, string>;
  args?: string[];
  env?: object;
  last: string;
  says: RegExp;
}[] = [
  {
    title: 'a test that fails',
    files: { 'unit/a.test.ts': file(`t('x', () => { throw new Error('wrong sum'); }); t('y', () => {}); t.run();`) },
    last: '1 passed, 1 failed',
    says: /"x"[^]*wrong sum/,
  },
  {
    title: 'an asynchronous test that fails',
    files: { 'unit/a.test.ts': file(`t('x', async () => { await null; throw new Error('late'); }); t.run();`) },
    last: '0 passed, 1 failed',
    says: /late/,
  },
  {
    title: 'no group',
    files: { 'unit/a.test.ts': passing },
    args: [],
    last: '0 passed, 1 failed',
    says: /at least one group/,
  },
  {
    title: 'a group without tests',
    files: { 'unit/a.test.ts': passing, 'golden/note.txt': '' },
    args: ['unit', 'golden'],
    last: '1 passed, 1 failed',
    says: /test\/golden has no file/,
  },
  {
    title: 'a name that no file has',
    files: { 'unit/a.test.ts': passing },
    args: ['unit', 'gloden'],
    last: '0 passed, 1 failed',
    says: /no file in unit has gloden in its name/,
  },
  {
    title: 'a file that forgets .run()',
    files: { 'unit/a.test.ts': file(`t('x', () => {});`).replaceAll('const t', 'export const t') },
    last: '0 passed, 1 failed',
    says: /no suite to run/,
  },
  {
    title: 'a second suite without .run()',
    files: { 'unit/a.test.ts': `${passing}\nconst forgotten = suite('second');\nforgotten('x', () => {});\n` },
    last: '1 passed, 1 failed',
    says: /forgotten\.run\(\) is missing/,
  },
  {
    title: 'a suite without tests',
    files: { 'unit/a.test.ts': file('t.run();') },
    last: '0 passed, 1 failed',
    says: /without a test/,
  },
  {
    title: 'a before hook that throws',
    files: {
      'unit/a.test.ts': file(
        `t.before(() => { throw new Error('no'); }); t('x', () => {}); t('y', () => {}); t.run();`,
      ),
    },
    last: '0 passed, 2 failed',
    says: /2 of 2 tests did not run: a hook threw/,
  },
  {
    title: 'an after hook that throws',
    files: { 'unit/a.test.ts': file(`t.after(() => { throw new Error('left open'); }); t('x', () => {}); t.run();`) },
    last: '0 passed, 1 failed',
    says: /left open/,
  },
  {
    title: 'a test that throws what is no Error',
    files: { 'unit/a.test.ts': file(`t('x', () => { throw null; }); t.run();`) },
    last: '0 passed, 1 failed',
    says: /what is no Error/,
  },
  {
    title: 'a file that cannot be loaded',
    files: { 'unit/a.test.ts': `throw new Error('at the top');`, 'unit/b.test.ts': passing },
    last: '1 passed, 2 failed',
    says: /at the top/,
  },
  {
    title: 'a rejection that nobody awaits',
    files: { 'unit/a.test.ts': file(`t('x', () => { void Promise.reject(new Error('floating')); }); t.run();`) },
    last: '1 passed, 1 failed',
    says: /nobody awaited: Error: floating/,
  },
  {
    title: 'an exception in a callback',
    files: {
      'unit/a.test.ts': file(`t('x', () => { process.nextTick(() => { throw new Error('stray'); }); }); t.run();`),
    },
    last: '1 passed, 1 failed',
    says: /outside of any test: Error: stray/,
  },
  {
    title: '.only left in',
    files: { 'unit/a.test.ts': file(`t.only('x', () => {}); t('y', () => {}); t.run();`) },
    last: '1 passed, 1 failed, 1 skipped',
    says: /skipped without a reason/,
  },
  {
    title: '.skip without a reason',
    files: { 'unit/a.test.ts': file(`t.skip('x', () => {}); t('y', () => {}); t.run();`) },
    last: '1 passed, 1 failed, 1 skipped',
    says: /skipped without a reason/,
  },
  {
    title: 'a skip in CI, even with a reason',
    files: { 'unit/a.test.ts': file(`testUnless(t, 'no Packer', 'x', () => {}); t('y', () => {}); t.run();`) },
    env: { CI: 'true' },
    last: '1 passed, 1 failed, 1 skipped',
    says: /skipped {2}x: no Packer[^]*in CI nothing may be skipped/,
  },
  {
    title: 'a test that waits for ever',
    files: { 'unit/a.test.ts': file(`t('x', () => new Promise(() => {})); t.run();`) },
    last: '0 passed, 1 failed',
    says: /ended before the tests did/,
  },
  {
    title: 'a test that ends the process',
    files: { 'unit/a.test.ts': file(`t('x', () => { process.exit(0); }); t.run();`) },
    last: '0 passed, 1 failed',
    says: /ended before the tests did/,
  },
];

for (const { title, files, args = ['unit'], env = {}, last, says } of failures) {
  runner(`fails on ${title}`, async () => {
    const { exitCode, output, lastLine } = await runTests(files, args, env);
    assert.equal(exitCode, 1, output);
    assert.equal(lastLine, last, output);
    assert.match(output, says);
  });
}

runner('a long file is run where it is named, also side by side', async () => {
  const files = { 'e2e/a.long.test.ts': file(`t('x', () => { throw new Error('seen'); }); t.run();`) };
  for (const args of [['e2e', 'a.long'], ['e2e/a.long.test.ts'], ['--jobs=2', 'e2e', 'a.long']]) {
    assert.equal((await runTests(files, args)).lastLine, '0 passed, 1 failed', args.join(' '));
  }
  const { exitCode, output } = await runTests(files, ['e2e'], { BAKE_LONG: '' });
  assert.match(output, /nothing to run/);
  assert.equal(exitCode, 1);
});

runner('side by side, everything is counted, also a file whose process is killed', async () => {
  const files = {
    'unit/a.test.ts': passing,
    'unit/b.test.ts': file(`t('x', () => { throw new Error('wrong sum'); }); t('y', () => {}); t.run();`),
    'unit/c.test.ts': file(`t('x', () => { process.kill(process.pid, 'SIGKILL'); }); t.run();`),
    'cli/d.test.ts': file(`testUnless(t, 'no Packer', 'x', () => {}); t('y', () => {}); t.run();`),
    // What comes on another pipe just before the end is none of the count.
    'cli/e.test.ts': `process.on('exit', () => console.error('a warning'));${passing}`,
  };
  const { exitCode, output, lastLine } = await runTests(files, ['--jobs=2', 'unit', 'cli']);
  assert.equal(exitCode, 1);
  assert.equal(lastLine, '4 passed, 2 failed, 1 skipped', output);
  assert.equal(output.match(/passed/g)?.length, 1);
  for (const says of [/wrong sum/, /c\.test\.ts/, /skipped {2}x: no Packer/]) assert.match(output, says);
});

runner('accepts a skip with a reason, and prints it', async () => {
  const files = { 'unit/a.test.ts': file(`testUnless(t, 'no Packer', 'x', () => {}); t('y', () => {}); t.run();`) };
  const { exitCode, output, lastLine } = await runTests(files, ['unit']);
  assert.equal(exitCode, 0, output);
  assert.equal(lastLine, '1 passed, 0 failed, 1 skipped');
  assert.match(output, /skipped {2}x: no Packer/);
});

runner('ends although a test left a server open', async () => {
  const server = `import { createServer } from 'node:net';\n${file(`t('x', () => { createServer().listen(0); }); t.run();`)}`;
  const { exitCode, lastLine } = await runTests({ 'unit/a.test.ts': server }, ['unit']);
  assert.equal(lastLine, '1 passed, 0 failed');
  assert.equal(exitCode, 0);
});

runner.run();
