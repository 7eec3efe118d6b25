import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import type { Context } from '../../src/cli/context.ts';
import { SpentTokens } from '../../src/cli/spent-tokens.ts';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { holdMark, releaseMark } from '../../src/edges/run-mark.ts';
import { readTokenStore, updateTokenStore } from '../../src/edges/token-store.ts';
import { issueTokens, rotateTokens } from '../../src/tokens/issue-tokens.ts';
import { connectionTo } from '../support/connection-to.ts';
import { fakeApiServer, type FakeApiServer, type Fault } from '../support/fake-apiserver.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// While bake watches: what takes seconds there is a matter of milliseconds here.
const test = suite('SpentTokens');

const nodes = Array.from({ length: 50 }, (_, index) => `node${index}`);
const issuing = { now: new Date('2020-08-02T14:12:04Z'), ttlSeconds: 86_400, random: randomBytes };
const never = new AbortController().signal;

interface Watched {
  readonly server: FakeApiServer;
  readonly spent: SpentTokens;
  readonly store: string;
  readonly stderr: () => string;
  /** How often the cluster was asked for its tokens. */
  readonly lists: () => number;
  readonly end: (reason: string) => void;
}

/** With a token for each node, all of them in the cluster. */
function whileWatching(
  faults: readonly (Fault | undefined)[],
  work: (watched: Watched) => Promise<void>,
): Promise<void> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer([], { tokens: faults });
    const store = join(folder, 'cluster.tokens.json');
    const issued = await updateTokenStore(store, (before) => issueTokens(before, nodes, issuing), never);
    for (const { id } of issued.store.tokens.values()) {
      server.secrets.set(id, { uid: id, creationTimestamp: '2020-08-02T14:20:00Z' });
    }
    let stderr = '';
    const context: Context = {
      env: {},
      cwd: folder,
      stdin: Readable.from([]),
      stdout: { write: () => undefined },
      stderr: { write: (text: string) => void (stderr += text) },
      now: () => new Date(),
      random: randomBytes,
      signal: never,
      packageRoot: '/',
    };
    const end = new AbortController();
    const api = new KubernetesApi(connectionTo(server), { signal: end.signal });
    const spent = new SpentTokens('cluster.yaml', 'a CA', () => undefined, context);
    const removing = spent.removeAsNoted(api, end.signal, 30);
    // Awaited below, but a test may end it before.
    removing.catch(() => undefined);
    const lists = () => server.requests.filter(({ method }) => method === 'GET').length;
    try {
      await work({ server, spent, store, stderr: () => stderr, lists, end: (reason) => end.abort(reason) });
    } finally {
      end.abort('SIGTERM');
      await assert.rejects(removing);
      await api.close();
      await server.close();
    }
  });
}

const issued = (node: string) =>
  ({ node, use: 'serving', state: 'issued', csr: 'csr', asked: '2020-08-02T14:50:00Z', why: '' }) as const;

async function until(isSo: () => boolean): Promise<void> {
  for (const start = performance.now(); !isSo();) {
    assert.ok(performance.now() - start < 10_000);
    await setTimeout(10);
  }
}

test('nodes that come together are one batch, and between batches nothing is asked', () =>
  whileWatching([], async ({ server, spent, store, lists }) => {
    for (const node of nodes.slice(1)) spent.note(issued(node));
    spent.note({ ...issued('node0'), state: 'approved' });
    // By its token it has asked for that, and may not have fetched it yet.
    spent.note({ ...issued('node0'), use: 'client' });
    await until(() => server.secrets.size === 1);
    await setTimeout(100);
    assert.equal(lists(), 1);
    assert.deepEqual([...readTokenStore(store).tokens.keys()], ['node0']);
    spent.note(issued('node0'));
    await until(() => server.secrets.size === 0 && readTokenStore(store).joined.size === nodes.length);
    assert.equal(lists(), 2);
  }));

test('a login that may not is told once, and asked for again with the next batch', () =>
  whileWatching(
    Array.from({ length: 3 }, () => ({ status: 403 })),
    async ({ server, spent, stderr, lists }) => {
      for (const node of nodes) spent.note(issued(node));
      await until(() => server.secrets.size === 0);
      assert.equal(stderr().match(/^note: .*on purpose/gm)?.length, 1);
      assert.equal(lists(), 4);
    },
  ));

test('what is gone when the signal comes is told, and the file that another run holds knows of it', () =>
  whileWatching([], async ({ server, spent, store, stderr, end }) => {
    const mark = holdMark();
    mkdirSync(`${store}.lock`);
    writeFileSync(join(`${store}.lock`, mark), '');
    server.onRequest = () => {
      if (server.requests.at(-1)?.method === 'DELETE') end('SIGTERM');
    };
    spent.note(issued('node0'));
    await until(() => server.secrets.size < nodes.length);
    await setTimeout(200);
    releaseMark(mark);
    await until(() => readTokenStore(store).joined.has('node0'));
    await until(() => /^1 bootstrap token is gone from the cluster and cluster\.tokens\.json, /m.test(stderr()));
  }));

test('a token that is rotated before its batch stays', () =>
  whileWatching([], async ({ server, spent, store }) => {
    for (const node of nodes) spent.note(issued(node));
    await updateTokenStore(store, (before) => rotateTokens(before, ['node7'], issuing), never);
    await until(() => readTokenStore(store).joined.size === nodes.length - 1);
    assert.deepEqual([...readTokenStore(store).tokens.keys()], ['node7']);
    // The old one is nobody's that bake knows; it expires.
    assert.equal(server.secrets.size, 1);
  }));

test.run();
