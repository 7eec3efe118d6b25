import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { Failure } from '../../src/diagnostics/failure.ts';
import { writeOutput } from '../../src/edges/write-output.ts';
import { withBundle } from '../support/bundle.ts';
import { onFailingDisk, systemError } from '../support/failing-disk.ts';
import { expectWholeOutput, sampleFiles, writeSample } from '../support/sample-output.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const output = suite('write-output');
const origin = { bake: '0', input: {} };
const never = new AbortController().signal;
const long = process.env['BAKE_LONG'] === '1';

/** What lies beside `out`, without the folder it links to. */
function leftovers(folder: string): string[] {
  const target = readlinkSync(join(folder, 'out'));
  return readdirSync(folder).filter((name) => name !== 'out' && name !== target);
}

function failsWith(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

output('writes all files and a record of them, each with exactly its mode', () =>
  inTemporaryFolder(async (folder) => {
    const before = process.umask(0o027);
    try {
      await writeSample(join(folder, 'deep/er/out'), 'first');
    } finally {
      process.umask(before);
    }
    const out = join(folder, 'deep/er/out');
    assert.equal(expectWholeOutput(out), 'first');
    const mode = (path: string) => statSync(join(out, path)).mode & 0o777;
    assert.deepEqual(
      ['', 'packer/scripts/prepare.sh', 'nodes/node1/user-data', 'nodes/node1/meta-data', 'bake.json'].map(mode),
      [0o700, 0o755, 0o600, 0o644, 0o644],
    );
    assert.match(readlinkSync(out), /^\.out-[0-9a-f]{12}-/);
  }),
);

output('records the version, the digests of the input, and the files in their order', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    const files = [{ path: 'a "b".txt', mode: 0o644 as const, content: new Uint8Array([1, 2]) }];
    await writeOutput(out, files, { bake: '0.1.0', input: { 'cluster.yaml': '11', 'ca.pem': '22' } }, never);
    const digest = 'a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222';
    const record = { bake: '0.1.0', input: { 'cluster.yaml': '11', 'ca.pem': '22' }, files: { 'a "b".txt': digest } };
    assert.equal(readFileSync(join(out, 'bake.json'), 'utf8'), `${JSON.stringify(record, null, 2)}\n`);
  }),
);

output('replaces an earlier output, the same one too, and leaves nothing behind', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    for (const which of ['first', 'second', 'second', 'first']) {
      await writeSample(out, which);
      assert.equal(expectWholeOutput(out), which);
      assert.deepEqual(leftovers(folder), []);
    }
  }),
);

output('mends an output that somebody altered', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await writeSample(out, 'first');
    appendFileSync(join(out, 'nodes/node1/user-data'), 'more');
    writeFileSync(join(out, 'surplus'), '');
    await writeSample(out, 'first');
    assert.equal(expectWholeOutput(out), 'first');
    rmSync(join(folder, readlinkSync(out)), { recursive: true });
    await writeSample(out, 'first');
    assert.equal(expectWholeOutput(out), 'first');
  }),
);

const foreign: [string, (out: string) => void][] = [
  ['a folder', (out) => mkdirSync(out)],
  ['a file', (out) => writeFileSync(out, 'mine')],
  ['a link to /etc', (out) => symlinkSync('/etc', out)],
];
for (const [what, make] of foreign) {
  output(`refuses ${what} in its place`, () =>
    inTemporaryFolder(async (folder) => {
      const out = join(folder, 'out');
      make(out);
      await assert.rejects(
        writeSample(out, 'first'),
        failsWith('output-not-ours', new RegExp(`is ${what}.*name another folder with -o`)),
      );
      assert.deepEqual(readdirSync(folder), ['out']);
    }),
  );
}

// Root may write everywhere; what stops root too, a file system mounted read-only, is in test/e2e/disk-full.test.ts.
output('says so when it may not write', async () => {
  await assert.rejects(
    writeSample('/dev/null/out', 'first'),
    failsWith('output-unwritable', /\/dev\/null.*name another folder with -o/),
  );
  if (process.getuid?.() === 0) return;
  await inTemporaryFolder(async (folder) => {
    chmodSync(folder, 0o500);
    await assert.rejects(writeSample(join(folder, 'out'), 'first'), failsWith('output-unwritable', /EACCES/));
    chmodSync(folder, 0o700);
  });
});

output('passes on an error of whoever makes the files, and removes what it wrote', () =>
  inTemporaryFolder(async (folder) => {
    const files = function* () {
      yield* sampleFiles('second', 1);
      throw new RangeError('a mistake in a template');
    };
    await writeSample(join(folder, 'out'), 'first');
    await assert.rejects(writeOutput(join(folder, 'out'), files(), origin, never), RangeError);
    assert.equal(expectWholeOutput(join(folder, 'out')), 'first');
    assert.deepEqual(leftovers(folder), []);
  }),
);

output('stops at Ctrl-C, and removes what it wrote', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await writeSample(out, 'first');
    const interrupt = new AbortController();
    const files = function* () {
      for (const file of sampleFiles('second', 10_000)) {
        if (file.path.startsWith('nodes/node100/')) setImmediate(() => interrupt.abort('SIGINT'));
        assert.ok(!file.path.startsWith('nodes/node300/'), 'should have stopped by now');
        yield file;
      }
    };
    await assert.rejects(writeOutput(out, files(), origin, interrupt.signal), (reason) => reason === 'SIGINT');
    assert.equal(expectWholeOutput(out), 'first');
    assert.deepEqual(leftovers(folder), []);
  }),
);

output('on a disk that fills up at any moment, keeps the old output and nothing else', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await writeSample(out, 'first');
    const growing = new Set(['mkdirSync', 'openSync', 'symlinkSync', 'writeFileSync']);
    let failed = 0;
    for (let at = 1; ; at++) {
      let error: unknown;
      await onFailingDisk(
        (number, change) => (number >= at && growing.has(change) ? systemError('ENOSPC', change) : undefined),
        () => writeSample(out, 'second', 1).catch((reason: unknown) => (error = reason)),
      );
      // Opening the folder, to sync it, is after the new link was put in place.
      if (error === undefined || expectWholeOutput(out) === 'second') break;
      failsWith('disk-full', /what was there is as it was/)(error);
      assert.equal(expectWholeOutput(out), 'first');
      assert.deepEqual(leftovers(folder), []);
      failed++;
    }
    assert.ok(failed > 15, `${failed} moments`);
  }),
);

output('killed before any of its calls to the disk, leaves the old or the new output, and the next run tidies up', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await writeSample(out, 'first');
    const seen = { first: 0, second: 0 };
    const death = new Error('dead');
    for (let at = 1; ; at++) {
      // From some call on nothing reaches the disk any more: for what is on it, just as if the process were dead.
      const calls = await onFailingDisk(
        (number) => (number >= at ? death : undefined),
        () => writeSample(out, 'second', 1).catch(() => undefined),
      );
      const left = expectWholeOutput(out) as 'first' | 'second';
      seen[left]++;
      await writeSample(out, 'first');
      assert.equal(expectWholeOutput(out), 'first');
      assert.deepEqual(leftovers(folder), [], `killed before call ${at}`);
      if (calls < at) break;
    }
    assert.ok(seen.first > 15 && seen.second > 10, JSON.stringify(seen));
  }),
);

function startWriting(script: string, out: string, which: string, nodes: number): ChildProcess {
  return spawn(process.execPath, [script, out, which, String(nodes)], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function end(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

const writer = join(import.meta.dirname, '../support/write-sample.ts');

output('killed with SIGKILL at some moment, leaves the old or the new output, and the next run tidies up', () =>
  inTemporaryFolder((folder) =>
    withBundle(writer, async (script) => {
      const out = join(folder, 'out');
      const nodes = 200;
      const write = async (which: string) => {
        const child = startWriting(script, out, which, nodes);
        await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
        return { child, start: performance.now() };
      };
      const whole = await write('0');
      assert.equal(await end(whole.child), 0);
      const duration = performance.now() - whole.start;

      const rounds = long ? 400 : 24;
      let before = '0';
      let killed = 0;
      for (let round = 1; round <= rounds; round++) {
        const { child } = await write(String(round));
        await setTimeout((duration * round) / rounds);
        child.kill('SIGKILL');
        if ((await end(child)) === null) killed++;
        const left = expectWholeOutput(out);
        assert.ok(left === before || left === String(round), `round ${round} left ${left}`);
        before = left;
        assert.ok(leftovers(folder).length <= 3, 'earlier leftovers are gone');
      }
      await writeSample(out, 'last');
      assert.equal(expectWholeOutput(out), 'last');
      assert.deepEqual(leftovers(folder), []);
      assert.ok(killed > rounds / 2, `only ${killed} of ${rounds} were killed in time`);
    }),
  ),
);

output('several runs at once all end well, the last to end wins, and none removes what another writes', () =>
  inTemporaryFolder((folder) =>
    withBundle(writer, async (script) => {
      const out = join(folder, 'out');
      for (let round = 0; round < (long ? 50 : 3); round++) {
        const names = ['a', 'b', 'c', 'd'];
        // The same content twice: two folders with the same digest in their names.
        const children = [...names, 'a'].map((which) => startWriting(script, out, which, 20));
        assert.deepEqual(await Promise.all(children.map(end)), [0, 0, 0, 0, 0]);
        assert.ok(names.includes(expectWholeOutput(out)));
      }
      await writeSample(out, 'last');
      assert.deepEqual(leftovers(folder), []);
    }),
  ),
);

output('leaves alone what a living run is writing, and what is not of its making', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    const others = ['.other-new-1.1.aaaaaa.0', '.out-mine', '.out-new-mine'];
    for (const name of others) mkdirSync(join(folder, name));
    // Both have their files in place before the first of them goes on.
    await Promise.all([writeSample(out, 'one'), writeSample(out, 'other')]);
    assert.ok(['one', 'other'].includes(expectWholeOutput(out)));
    assert.deepEqual(leftovers(folder).sort(), others);
  }),
);

output('takes the leftovers of another machine for dead after an hour only', () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, 'out');
    await writeSample(out, 'first');
    const elsewhere = (name: string) => name.replace(/\.[0-9a-f]{6}\.(\d+)$/, '.ffffff.$1');
    const old = elsewhere(readlinkSync(out));
    renameSync(join(folder, readlinkSync(out)), join(folder, old));
    rmSync(out);
    symlinkSync(old, out);
    mkdirSync(join(folder, elsewhere('.out-new-1.1.aaaaaa.0')));
    await writeSample(out, 'second');
    assert.equal(expectWholeOutput(out), 'second');
    assert.ok(!existsSync(join(folder, old)), 'it was linked, and so is done with');
    assert.deepEqual(leftovers(folder), ['.out-new-1.1.ffffff.0']);
  }),
);

output.run();
