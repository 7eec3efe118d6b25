/**
 * Runs the tests: `tsx test/run.ts [--jobs=N] GROUP… [NAME…]`. A GROUP is a folder of test/, with its files *.test.ts; with
 * NAMEs only the files whose name contains one of them; *.long.test.ts only so, or with BAKE_LONG=1. It is the `test` folder
 * of where this is started. A GROUP may also be one such file, also a long one.
 *
 * uvu's own command line exits 0 when a `before` hook throws, a file forgets `.run()` or no test ran. So its suites are
 * taken from its queue and run here, and whatever is not a test that passed fails. Files run one after the other in this one
 * process; with --jobs each has a process of its own, and N of them run side by side.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import pMap from 'p-map';
import { skipReasons } from './support/skip.ts';

/** What `.run()` of a suite puts into uvu's queue: https://github.com/lukeed/uvu/blob/v0.5.6/src/index.js */
type RunSuite = () => Promise<[errors: string | true, ran: number, skipped: number, total: number]>;
const uvu = globalThis as typeof globalThis & { UVU_DEFER: boolean; UVU_QUEUE: RunSuite[][]; UVU_INDEX: number };
uvu.UVU_DEFER = true;
uvu.UVU_QUEUE = [];

const count = { passed: 0, failed: 0, skipped: 0 };
let current = '';
let finished = false;

function fail(what: string, times = 1): void {
  count.failed += times;
  console.log(`  FAIL  ${current === '' ? '' : `${current}: `}${what}`);
}

function finish(): void {
  const skipped = count.skipped === 0 ? '' : `, ${count.skipped} skipped`;
  console.log(`\n${count.passed} passed, ${count.failed} failed${skipped}`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

process.on('unhandledRejection', (reason) => fail(`a rejection that nobody awaited: ${describe(reason)}`));
process.on('uncaughtException', (error) => fail(`an exception outside of any test: ${describe(error)}`));
process.on('exit', () => {
  if (finished) return;
  fail('the process ended before the tests did: one waits for what never comes, or calls process.exit()');
  finish();
});

const { values, positionals } = parseArgs({ options: { jobs: { type: 'string' } }, allowPositionals: true });
const files = selectFiles(positionals);
if (files.length === 0 && count.failed === 0) fail('nothing to run');
if (values.jobs === undefined) {
  for (const [index, file] of files.entries()) {
    current = file;
    console.log(file);
    const from = performance.now();
    await runFile(file, index);
    // Rejections that nobody awaits are reported once the event loop turns.
    await setImmediate();
    console.log(`  ${((performance.now() - from) / 1000).toFixed(1)} s`);
  }
  current = '';
} else {
  await pMap(files, runInProcess, { concurrency: Number(values.jobs) });
}
finished = true;
finish();
// Servers and children that a test left behind must not hold up the result.
process.exit();

function selectFiles(words: readonly string[]): string[] {
  const groups = words.filter((word) => existsSync(join('test', word)));
  const names = words.filter((word) => !groups.includes(word));
  const all = groups.map((group) => ({ group, files: filesOf(group) }));
  const found = all.flatMap((group) => group.files);
  if (groups.length === 0) fail('name at least one group, a folder of test/');
  for (const { group, files } of all) if (files.length === 0) fail(`test/${group} has no file *.test.ts`);
  if (names.length === 0) {
    const isNamed = (file: string) => groups.includes(relative('test', file));
    return found.filter((file) => process.env['BAKE_LONG'] === '1' || !file.endsWith('.long.test.ts') || isNamed(file));
  }
  const matches = (file: string, name: string) => basename(file).includes(name);
  for (const name of names) {
    if (!found.some((file) => matches(file, name))) fail(`no file in ${groups.join(', ')} has ${name} in its name`);
  }
  return found.filter((file) => names.some((name) => matches(file, name)));
}

function filesOf(group: string): string[] {
  if (group.endsWith('.test.ts')) return [join('test', group)];
  const names = readdirSync(join('test', group), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', group, name))
    .sort();
}

/** What it prints is printed when it ends. */
async function runInProcess(file: string): Promise<void> {
  console.log(`${file} begins`);
  const argv = [...process.execArgv, import.meta.filename, relative('test', file)];
  const { all, stdout, signal } = await execa(process.execPath, argv, { all: true, reject: false, stdin: 'ignore' });
  const counts = /\n(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(stdout);
  console.log(all.replace(counts?.[0] ?? '', ''));
  if (counts === null) {
    fail(`${file}: its process ended before it had counted${signal === undefined ? '' : `, by ${signal}`}`);
    return;
  }
  const [passed, failed, skipped] = counts.slice(1).map((digits: string | undefined) => Number(digits ?? 0));
  count.passed += passed ?? 0;
  count.failed += failed ?? 0;
  count.skipped += skipped ?? 0;
}

async function runFile(file: string, index: number): Promise<void> {
  const suites: RunSuite[] = [];
  uvu.UVU_QUEUE[index] = suites;
  uvu.UVU_INDEX = index;
  const reasonsBefore = skipReasons.length;
  const skippedBefore = count.skipped;
  try {
    await import(pathToFileURL(file).href);
    for (const suite of suites) await runSuite(suite);
  } catch (error) {
    fail(describe(error));
  }
  if (suites.length === 0) fail('no suite to run; does it call .run()?');
  for (const name of forgottenSuites(file)) fail(`${name}.run() is missing`);
  reportSkips(count.skipped - skippedBefore, skipReasons.slice(reasonsBefore));
}

async function runSuite(suite: RunSuite): Promise<void> {
  const [errors, ran, skipped, total] = await suite();
  count.passed += ran;
  count.skipped += skipped;
  if (total + skipped === 0) fail('a suite without a test');
  if (typeof errors === 'string') {
    console.log(`\n${errors}`);
    count.failed += total - ran;
  } else if (ran !== total) {
    fail(
      `${total - ran} of ${total} tests did not run: a hook threw, or a test threw what is no Error (uvu hides it)`,
      total - ran,
    );
  }
}

/** A file with two suites, of which one is run. */
function forgottenSuites(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  const names = [...source.matchAll(/^(?:const|let) (\w+) = suite\b/gm)].map(([, name]) => name ?? '');
  return names.filter((name) => !source.includes(`${name}.run()`));
}

function reportSkips(skipped: number, reasons: readonly string[]): void {
  for (const reason of reasons) console.log(`  skipped  ${reason}`);
  if (skipped > reasons.length) {
    fail(
      'tests are skipped without a reason: .only or .skip left in? testUnless() takes a reason',
      skipped - reasons.length,
    );
  }
  if (process.env['CI'] === 'true' && reasons.length > 0) fail('in CI nothing may be skipped', reasons.length);
}

function describe(reason: unknown): string {
  return reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
}
