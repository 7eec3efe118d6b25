import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { suite } from 'uvu';
import { Failure } from '../../src/diagnostics/failure.ts';
import { holdMark, releaseMark } from '../../src/edges/run-mark.ts';
import { readTokenStore, tokenStoreOf, updateTokenStore } from '../../src/edges/token-store.ts';
import { dropSpent, issueTokens, rotateTokens, type IssuedTokens } from '../../src/tokens/issue-tokens.ts';
import { ofCluster } from '../../src/tokens/of-cluster.ts';
import type { TokenStore } from '../../src/tokens/token.ts';
import { withBundle } from '../support/bundle.ts';
import { onFailingDisk, systemError } from '../support/failing-disk.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const tokens = suite('token-store');
const long = process.env['BAKE_LONG'] === '1';
const issuing = { now: new Date('2020-08-02T14:12:04Z'), ttlSeconds: 86_400, random: randomBytes };
const never = new AbortController().signal;

const issue = (store: TokenStore): IssuedTokens => issueTokens(store, ['a', 'b'], issuing);
const rotate = (store: TokenStore): IssuedTokens => rotateTokens(store, ['a', 'b'], issuing);

const secret = '0123456789abcdef';
const entry = { node: 'a', id: 'abcdef', secret, expires: '2020-08-03T14:12:04Z' };

function inStore(work: (path: string, folder: string) => Promise<void>): () => Promise<void> {
  return () => inTemporaryFolder((folder) => work(join(folder, 'cluster.tokens.json'), folder));
}

function failsWith(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /0123456789abcde/, 'a secret');
    return true;
  };
}

tokens('lies beside the description', () => {
  assert.equal(tokenStoreOf('/x/cluster.yaml'), '/x/cluster.tokens.json');
  assert.equal(tokenStoreOf('/x/prod.v1.yml'), '/x/prod.v1.tokens.json');
  assert.equal(tokenStoreOf('/x/cluster'), '/x/cluster.tokens.json');
});

tokens(
  'keeps what it was given, readable by the owner alone, and nothing else',
  inStore(async (path, folder) => {
    assert.deepEqual(readTokenStore(path), { tokens: new Map(), joined: new Set(), authority: '' });
    const before = process.umask(0);
    const { store } = await updateTokenStore(path, issue, never).finally(() => process.umask(before));
    assert.deepEqual(readTokenStore(path), store);
    const spent = [...store.tokens.values()].slice(0, 1);
    const left = await updateTokenStore(path, (kept) => dropSpent(ofCluster(kept, 'a CA'), spent), never);
    assert.deepEqual(readTokenStore(path), left.store);
    assert.deepEqual([...ofCluster(readTokenStore(path), 'a CA').joined], ['a']);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['cluster.tokens.json']);
  }),
);

tokens(
  'of an earlier version knows of none that has joined',
  inStore(async (path) => {
    writeFileSync(path, JSON.stringify({ tokens: [entry] }), { mode: 0o600 });
    assert.deepEqual(readTokenStore(path), { tokens: new Map([['a', entry]]), joined: new Set(), authority: '' });
    await updateTokenStore(path, rotate, never);
    assert.deepEqual([...readTokenStore(path).tokens.keys()], ['a', 'b']);
  }),
);

tokens(
  'is not written while nothing changes',
  inStore(async (path) => {
    await updateTokenStore(path, issue, never);
    const { ino, mtimeMs } = statSync(path);
    await updateTokenStore(path, issue, never);
    assert.deepEqual([statSync(path).ino, statSync(path).mtimeMs], [ino, mtimeMs]);
    await updateTokenStore(path, rotate, never);
    assert.notEqual(statSync(path).ino, ino);
  }),
);

tokens(
  'is not used while others may read it',
  inStore(async (path) => {
    await updateTokenStore(path, issue, never);
    for (const mode of [0o644, 0o640, 0o604, 0o620]) {
      chmodSync(path, mode);
      assert.throws(
        () => readTokenStore(path),
        failsWith('token-store-exposed', /cluster\.tokens\.json: chmod 600 it/),
      );
      await assert.rejects(updateTokenStore(path, rotate, never), failsWith('token-store-exposed', /chmod 600/));
    }
    assert.ok(!existsSync(`${path}.lock`));
  }),
);

const damages: [string, string, RegExp][] = [
  ['empty', '', /is not JSON/],
  ['cut short', `{"tokens":[{"node":"a","id":"abcdef","secret":"${secret}`, /is not JSON/],
  ['with a word between', `{"tokens":[{"secret":"${secret}" x}]}`, /is not JSON/],
  ['something else', '[]', /expected object/],
  ['with a key too many', JSON.stringify({ tokens: [{ ...entry, note: '' }] }), /tokens\.0: Unrecognized key: "note"/],
  ['with a wrong id', JSON.stringify({ tokens: [{ ...entry, id: 'ABCDEF' }] }), /tokens\.0\.id: Invalid string/],
  [
    'with a wrong secret',
    JSON.stringify({ tokens: [{ ...entry, secret: `${secret}0` }] }),
    /tokens\.0\.secret: Invalid string/,
  ],
  ['with a wrong date', JSON.stringify({ tokens: [{ ...entry, expires: 'tomorrow' }] }), /tokens\.0\.expires: Invalid/],
  ['with a node twice', JSON.stringify({ tokens: [entry, entry] }), /a node stands in it twice/],
  [
    'with a token of one that has joined',
    JSON.stringify({ tokens: [entry], joined: ['a'] }),
    /a node stands in it twice/,
  ],
];
for (const [how, text, says] of damages) {
  tokens(
    `is not used when it is ${how}`,
    inStore(async (path) => {
      writeFileSync(path, text, { mode: 0o600 });
      const failure = failsWith('token-store-damaged', says);
      assert.throws(() => readTokenStore(path), failure);
      await assert.rejects(
        updateTokenStore(path, rotate, never),
        failsWith('token-store-damaged', /restore it; or remove it/),
      );
      assert.equal(readFileSync(path, 'utf8'), text);
    }),
  );
}

tokens(
  'says so when the system refuses',
  inStore(async (path, folder) => {
    mkdirSync(path, { mode: 0o700 });
    await assert.rejects(updateTokenStore(path, issue, never), failsWith('token-store-unusable', /EISDIR/));
    await assert.rejects(
      updateTokenStore(join(folder, 'none/cluster.tokens.json'), issue, never),
      failsWith('token-store-unusable', /ENOENT/),
    );
  }),
);

tokens(
  'on a disk that fills up at any moment, stays as it was',
  inStore(async (path, folder) => {
    await updateTokenStore(path, issue, never);
    const before = readFileSync(path, 'utf8');
    const growing = new Set(['mkdirSync', 'openSync', 'writeFileSync', 'fsyncSync']);
    let failed = 0;
    for (let at = 1; ; at++) {
      let error: unknown;
      await onFailingDisk(
        (number, change) => (number >= at && growing.has(change) ? systemError('ENOSPC', change) : undefined),
        () => updateTokenStore(path, rotate, never).catch((reason: unknown) => (error = reason)),
      );
      // Opening the folder, to sync it, is after the new file was put in place, and needs no space on a real disk.
      if (error === undefined || readFileSync(path, 'utf8') !== before) break;
      failsWith('disk-full', /what was there is as it was/)(error);
      assert.equal(readFileSync(path, 'utf8'), before);
      assert.deepEqual(
        readdirSync(folder).filter((name) => !name.endsWith('.lock')),
        ['cluster.tokens.json'],
      );
      failed++;
    }
    assert.ok(failed >= 5, `${failed} moments`);
  }),
);

tokens(
  'killed before any of its calls to the disk, is the old or the new, and holds up nobody',
  inStore(async (path, folder) => {
    await updateTokenStore(path, issue, never);
    const death = new Error('dead');
    for (let at = 1; ; at++) {
      const before = readTokenStore(path);
      let meant: TokenStore | undefined;
      const calls = await onFailingDisk(
        (number) => (number >= at ? death : undefined),
        () =>
          updateTokenStore(
            path,
            (store) => {
              const result = rotate(store);
              meant = result.store;
              return result;
            },
            never,
          ).catch(() => undefined),
      );
      const after = readTokenStore(path);
      assert.ok([before, meant].some((store) => isDeepStrictEqual(store, after)));
      await updateTokenStore(path, rotate, never);
      assert.deepEqual(readdirSync(folder), ['cluster.tokens.json'], `killed before call ${at}`);
      if (calls < at) break;
    }
  }),
);

const keeper = join(import.meta.dirname, '../support/keep-tokens.ts');

tokens(
  'several runs at once agree on every token',
  inStore((path) =>
    withBundle(keeper, async (script) => {
      for (let round = 0; round < (long ? 30 : 2); round++) {
        const nodes = Array.from({ length: 50 }, (_, index) => `r${round}n${index}`).join();
        const runs = await Promise.all(Array.from({ length: 6 }, () => execa(process.execPath, [script, path, nodes])));
        const ids = new Set(runs.map(({ stdout }) => stdout));
        assert.equal(ids.size, 1);
        assert.equal([...ids][0], [...readTokenStore(path).tokens.values()].map(({ id }) => id).join());
      }
    }),
  ),
);

tokens(
  'a run that was killed while it held the lock holds up nobody',
  inStore((path, folder) =>
    withBundle(keeper, async (script) => {
      const killed = await execa(process.execPath, [script, path, 'a,b', 'die'], { reject: false });
      assert.equal(killed.signal, 'SIGKILL');
      assert.ok(existsSync(`${path}.lock`), 'it held the lock');
      const start = performance.now();
      await updateTokenStore(path, issue, never);
      assert.ok(performance.now() - start < 5000);
      assert.deepEqual(readdirSync(folder), ['cluster.tokens.json']);
    }),
  ),
);

tokens(
  'waits for a lock of another machine, which cannot be asked, for ten seconds of its age only',
  inStore(async (path) => {
    mkdirSync(`${path}.lock`);
    const flag = join(`${path}.lock`, '1.1.ffffff.0');
    writeFileSync(flag, '');
    const interrupt = AbortSignal.timeout(300);
    await assert.rejects(updateTokenStore(path, issue, interrupt), { name: 'AbortError' });
    assert.ok(existsSync(flag));
    utimesSync(flag, new Date(), new Date(Date.now() - 11_000));
    await updateTokenStore(path, issue, never);
    assert.equal(readTokenStore(path).tokens.size, 2);
  }),
);

tokens(
  'says so when another run holds the lock for too long',
  inStore(async (path) => {
    const mark = holdMark();
    mkdirSync(`${path}.lock`);
    writeFileSync(join(`${path}.lock`, mark), '');
    await assert.rejects(
      updateTokenStore(path, issue, never, 50),
      failsWith('token-store-locked', /end it, and run again/),
    );
    releaseMark(mark);
    await updateTokenStore(path, issue, never, 50);
  }),
);

tokens.run();
