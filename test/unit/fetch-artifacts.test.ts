import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import { Failure } from '../../src/diagnostics/failure.ts';
import { fetchArtifacts, type FetchOptions } from '../../src/fetch/fetch-artifacts.ts';
import type { LockedArtifact } from '../../src/lock/lock.ts';
import { bytesOf, locked, sha256, writeFiles } from '../support/download-site.ts';
import { serveFiles, type FileServer } from '../support/file-server.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What comes over a line, good or bad, and what ends up in the cache.
const fetching = suite('fetching');

const SIZE = 300_000;
const good = bytesOf('good', SIZE);
const other = bytesOf('other', SIZE);
const files = new Map([['file', good]]);

interface Ran {
  readonly said: string;
  readonly path: string | undefined;
  readonly failure: Failure | undefined;
}

interface Asked extends Partial<FetchOptions> {
  readonly artifacts?: readonly LockedArtifact[];
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Fetches with little patience, into a cache of the folder. */
async function fetchFrom(cache: string, url: string, asked: Asked = {}): Promise<Ran> {
  let said = '';
  const {
    artifacts = [locked('file', url, good)],
    env = {},
    signal = new AbortController().signal,
    ...options
  } = asked;
  const surroundings = {
    env: { XDG_CACHE_HOME: cache, ...env },
    stderr: { write: (text: string) => (said += text) },
    signal,
    patience: { stallMs: 300, attempts: 3, pauseMs: 5 },
  };
  try {
    const lock = { version: 1, artifacts: [...artifacts] } as const;
    const fetched = await fetchArtifacts(lock, { folder: cache, mirrors: [], ...options }, surroundings);
    return { said, path: fetched.files.get('file'), failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { said, path: undefined, failure: error };
  }
}

type Serve = (options?: Parameters<typeof serveFiles>[1], other?: Map<string, Buffer>) => Promise<FileServer>;

/** Servers that a test starts, closed when it is over. */
function withServers(work: (serve: Serve, cache: string) => Promise<void>): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (cache) => {
      const servers: FileServer[] = [];
      const serve: Serve = async (options, other = files) => {
        const server = await serveFiles(other, options);
        servers.push(server);
        return server;
      };
      try {
        await work(serve, cache);
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });
}

function expectCached(cache: string, { path, said, failure }: Ran): void {
  assert.equal(failure, undefined);
  // Nothing at all, unless it took longer than a second.
  assert.match(said, /^(fetching 1 file…\n)?(fetched file, 0\.3 MB\n)?$/);
  assert.equal(path, join(cache, 'bake/sha256', sha256(good)));
  assert.ok(readFileSync(path).equals(good));
  assert.equal(statSync(path).mode & 0o777, 0o444);
  assert.deepEqual(readdirSync(join(cache, 'bake/parts')), []);
}

/** Bytes that were asked for behind the beginning. */
function ranges({ requests }: FileServer): (string | undefined)[] {
  return requests.map(({ range }) => range);
}

fetching(
  'keeps a file under its digest, read-only, and does not ask again',
  withServers(async (serve, cache) => {
    const server = await serve();
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.equal(server.requests.length, 1);
  }),
);

fetching(
  'tries again after passing troubles, and leaves a server alone for as long as it asks',
  withServers(async (serve, cache) => {
    const server = await serve({
      faults: { file: [{ status: 503 }, { status: 429, headers: { 'retry-after': '1' } }] },
    });
    const start = performance.now();
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.ok(performance.now() - start >= 1000);
    assert.equal(server.requests.length, 3);
  }),
);

fetching(
  'goes on where a connection broke, or fell silent',
  withServers(async (serve, cache) => {
    const server = await serve({
      faults: {
        file: [
          { bytes: 100_000, then: 'reset' },
          { bytes: 50_000, then: 'silence' },
        ],
      },
    });
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.deepEqual(ranges(server), [undefined, 'bytes=100000-', 'bytes=150000-']);
    assert.deepEqual(
      server.requests.map(({ ifRange }) => ifRange),
      [undefined, '"300000-v1"', '"300000-v1"'],
    );
  }),
);

fetching(
  'starts anew where a server sends all of it again',
  withServers(async (serve, cache) => {
    const server = await serve({ ranges: false, faults: { file: [{ bytes: 100_000, then: 'reset' }] } });
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.equal(server.requests.length, 2);
  }),
);

fetching(
  'starts anew where the file was replaced meanwhile',
  withServers(async (serve, cache) => {
    const old = { instead: other, etag: '"old"' };
    const server = await serve({ faults: { file: [{ ...old, bytes: 100_000, then: 'reset' }] } });
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.deepEqual(
      server.requests.map(({ ifRange }) => ifRange),
      [undefined, '"old"'],
    );
  }),
);

fetching(
  'does not keep what two versions make together, and asks for the whole once more',
  withServers(async (serve, cache) => {
    const old = { instead: other, etag: '"old"' };
    const server = await serve({ ifRange: false, faults: { file: [{ ...old, bytes: 100_000, then: 'reset' }] } });
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.deepEqual(ranges(server), [undefined, 'bytes=100000-', undefined]);
  }),
);

for (const [what, contentLength, reason] of [
  ['more', SIZE + 5, `it says that the file has ${SIZE + 5} bytes, and ${SIZE} are wanted`],
  ['less', SIZE - 5, `it says that the file has ${SIZE - 5} bytes, and ${SIZE} are wanted`],
] as const) {
  fetching(
    `does not believe a server that says ${what} bytes than there are`,
    withServers(async (serve, cache) => {
      const lie = { contentLength };
      const liar = await serve({ faults: { file: [lie, lie, lie] } });
      const { failure } = await fetchFrom(cache, `${liar.url}/file`);
      assert.equal(failure?.code, 'fetch-failed');
      assert.ok(failure.message.endsWith(`\n  file\n    ${liar.url}/file: ${reason} (3 attempts)`), failure.message);
      expectCached(cache, await fetchFrom(cache, `${liar.url}/file`));
    }),
  );
}

fetching(
  'a body that ends too early, again and again, is told',
  withServers(async (serve, cache) => {
    const cut = { bytes: 0, then: 'reset' } as const;
    const server = await serve({ faults: { file: [{ bytes: 1000, then: 'reset' }, cut, cut] } });
    const { failure } = await fetchFrom(cache, `${server.url}/file`);
    assert.match(failure?.message ?? '', /: the connection broke( \(ECONNRESET\))? \(3 attempts\)$/);
    const parts = join(cache, 'bake/parts');
    assert.deepEqual(
      readdirSync(parts).map((name) => statSync(join(parts, name)).size),
      [1000],
      'what came is kept',
    );
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.equal(ranges(server).at(-1), 'bytes=1000-', 'and the next run goes on from there');
  }),
);

fetching(
  'a silent server is given up',
  withServers(async (serve, cache) => {
    const silent = { bytes: 0, then: 'silence' } as const;
    const server = await serve({ faults: { file: [silent, silent, silent] } });
    const { failure } = await fetchFrom(cache, `${server.url}/file`);
    assert.match(failure?.message ?? '', /: it went silent in the middle \(3 attempts\)$/);
  }),
);

fetching(
  'a line that moves is worth more attempts than one that does not',
  withServers(async (serve, cache) => {
    const large = bytesOf('large', 5 << 20);
    const faults = Array.from({ length: 4 }, () => ({ bytes: (1 << 20) + 4096, then: 'reset' }) as const);
    const server = await serve({ faults: { large: faults } }, new Map([['large', large]]));
    const artifacts = [locked('file', `${server.url}/large`, large)];
    const { failure, path = '' } = await fetchFrom(cache, '', { artifacts });
    assert.equal(failure, undefined);
    assert.ok(readFileSync(path).equals(large));
    assert.equal(server.requests.length, 5);
  }),
);

fetching(
  'takes mirrors in order before the upstream; one that lacks the file is passed over in silence',
  withServers(async (serve, cache) => {
    const [empty, full, upstream] = [await serve({}, new Map()), await serve({}, new Map()), await serve()];
    const host = upstream.url.replace('http://', '');
    const mirror = join(cache, 'mirror');
    writeFiles(mirror, new Map([[`${host}/file`, good]]));
    const mirrors = [`${empty.url}/sub/`, `file://${join(cache, 'no-such')}`, `file://${mirror}`, full.url];
    expectCached(cache, await fetchFrom(cache, `${upstream.url}/file?token=secret`, { mirrors }));
    assert.deepEqual(
      empty.requests.map(({ path }) => path),
      [`sub/${host}/file`],
    );
    assert.deepEqual([full.requests.length, upstream.requests.length], [0, 0]);
  }),
);

fetching(
  'a mirror with another file is refused and told, both digests named, and the next one is asked',
  withServers(async (serve, cache) => {
    const upstream = await serve();
    const host = upstream.url.replace('http://', '');
    const bad = await serve({}, new Map([[`${host}/file`, other]]));
    const { said, ...ran } = await fetchFrom(cache, `${upstream.url}/file`, { mirrors: [bad.url] });
    expectCached(cache, { ...ran, said: '' });
    assert.equal(
      said,
      `warning: file is not from ${bad.url}/${host}/file: it is not the file that was meant: it has sha256:${sha256(other)}, and sha256:${sha256(good)} is wanted\n`,
    );
  }),
);

fetching(
  'where no source has the right file, says why of each, and keeps nothing',
  withServers(async (serve, cache) => {
    const wrong = { instead: other };
    const upstream = await serve(
      { faults: { file: [{ status: 403 }], second: [wrong] } },
      new Map([['second', other]]),
    );
    const host = upstream.url.replace('http://', '');
    const bad = await serve({}, new Map([[`${host}/file`, other]]));
    const artifacts = [
      locked('file', `${upstream.url}/file?token=secret`, good),
      locked('second', `${upstream.url}/second`, good),
    ];
    const { failure } = await fetchFrom(cache, '', { artifacts, mirrors: [bad.url] });
    const differs = `it is not the file that was meant: it has sha256:${sha256(other)}, and sha256:${sha256(good)} is wanted`;
    assert.equal(
      failure?.message,
      `2 of 2 files could not be fetched; see to one of the sources, and run again
  file
    ${bad.url}/${host}/file: ${differs}
    ${upstream.url}/file: it refuses (HTTP 403)
  second
    ${bad.url}/${host}/second: it has no such file (HTTP 404)
    ${upstream.url}/second: ${differs}`,
    );
    assert.deepEqual(readdirSync(join(cache, 'bake')), ['parts']);
    assert.deepEqual(readdirSync(join(cache, 'bake/parts')), []);
  }),
);

fetching(
  'a file by SHA-512 has a place of its own',
  withServers(async (serve, cache) => {
    const server = await serve();
    const sha512 = createHash('sha512').update(good).digest('hex');
    const artifact: LockedArtifact = {
      name: 'file',
      component: 'file',
      architecture: 'any',
      url: `${server.url}/file`,
      size: SIZE,
      sha512,
    };
    const { path, failure } = await fetchFrom(cache, '', { artifacts: [artifact] });
    assert.equal(failure, undefined);
    assert.equal(path, join(cache, 'bake/sha512', sha512));
    assert.ok(readFileSync(path).equals(good));
  }),
);

fetching(
  'what was touched in the cache is read again, and what is another file is fetched again',
  withServers(async (serve, cache) => {
    const server = await serve();
    const { path = '' } = await fetchFrom(cache, `${server.url}/file`);
    utimesSync(path, new Date(), new Date());
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.equal(server.requests.length, 1);

    const tampered = Buffer.from(good);
    tampered[1000] = (tampered[1000] ?? 0) ^ 1;
    writeFileSync(path, tampered, { flag: 'r+' });
    const { said, ...ran } = await fetchFrom(cache, `${server.url}/file`);
    assert.equal(said, `warning: file in the cache had been changed, and is removed: ${path}\n`);
    expectCached(cache, { ...ran, said: '' });
    assert.equal(server.requests.length, 2);
  }),
);

fetching(
  'what was changed with its time put back is found by --verify',
  withServers(async (serve, cache) => {
    const server = await serve();
    const { path = '' } = await fetchFrom(cache, `${server.url}/file`);
    const { mtime } = lstatSync(path);
    writeFileSync(path, other, { flag: 'r+' });
    utimesSync(path, mtime, mtime);
    await fetchFrom(cache, `${server.url}/file`);
    assert.equal(server.requests.length, 1, 'size and time are trusted');
    const { said } = await fetchFrom(cache, `${server.url}/file`, { verify: true });
    assert.match(said, /^warning: file in the cache had been changed/);
    assert.ok(readFileSync(path).equals(good));
  }),
);

fetching(
  'a folder or a link in place of a cached file does no harm',
  withServers(async (serve, cache) => {
    const server = await serve();
    mkdirSync(join(cache, 'bake/sha256', sha256(good)), { recursive: true });
    const { said, ...ran } = await fetchFrom(cache, `${server.url}/file`);
    assert.match(said, /^warning: file in the cache had been changed/);
    expectCached(cache, { ...ran, said: '' });
  }),
);

fetching(
  'a mirror that trickles is left for the next, which goes on from there; the last one may be slow',
  withServers(async (serve, cache) => {
    const upstream = await serve();
    const host = upstream.url.replace('http://', '');
    const slow = await serve({ slow: 100 }, new Map([[`${host}/file`, good]]));
    const { said, ...ran } = await fetchFrom(cache, `${upstream.url}/file`, { mirrors: [slow.url] });
    assert.match(said, /^warning: file is not from http.*: it is slow: \d\.\d kB in a second\n/);
    expectCached(cache, { ...ran, said: '' });
    const [range = ''] = ranges(upstream);
    assert.match(range, /^bytes=[1-9]\d+-$/);
  }),
);

fetching(
  'Ctrl-C ends it at once, and leaves the part for the next run',
  withServers(async (serve, cache) => {
    const slow = await serve({ slow: 20_000 });
    const controller = new AbortController();
    const running = fetchFrom(cache, `${slow.url}/file`, { signal: controller.signal });
    const parts = join(cache, 'bake/parts');
    const size = () => (existsSync(parts) ? readdirSync(parts).map((name) => statSync(join(parts, name)).size) : []);
    while ((size()[0] ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    const [left = 0] = size();
    assert.ok(left > 0 && left < SIZE);
    const server = await serve();
    expectCached(cache, await fetchFrom(cache, `${server.url}/file`));
    assert.deepEqual(ranges(server), [`bytes=${left}-`]);
  }),
);

fetching(
  'a cache that cannot be written is told',
  withServers(async (serve, cache) => {
    const server = await serve();
    writeFileSync(join(cache, 'bake'), 'a file');
    const { failure } = await fetchFrom(cache, `${server.url}/file`);
    assert.equal(failure?.code, 'cache-unusable');
    assert.match(failure.message, /^cannot use the cache .*\/bake: ENOTDIR.*; make it writable for you/);
  }),
);

fetching(
  'goes where it is redirected to, as far as that leads somewhere',
  withServers(async (serve, cache) => {
    const to = (location: string): { status: number; headers: { location: string } } => {
      return { status: 302, headers: { location } };
    };
    const end = await serve();
    const server = await serve({
      faults: {
        start: [to('/second?secret=word')],
        second: [{ status: 308, headers: { location: `${end.url}/file` } }],
        circle: [to('circle/2')],
        'circle/2': [to('/circle')],
        scheme: [to('file:///etc/passwd')],
        ...Object.fromEntries(Array.from({ length: 12 }, (_, step) => [`far/${step}`, [to(`/far/${step + 1}?word`)]])),
      },
    });
    expectCached(cache, await fetchFrom(cache, `${server.url}/start`));
    for (const [path, reason] of [
      ['circle', `it redirects in a circle, by ${server.url}/circle`],
      ['far/0', `it redirects more than 10 times, at last to ${server.url}/far/11`],
      ['scheme', 'it redirects to file://, which is not followed'],
    ] as const) {
      const url = `${server.url}/${path}`;
      const { failure } = await fetchFrom(join(cache, path), url);
      assert.equal(failure?.code, 'fetch-failed');
      assert.ok(failure.message.endsWith(`\n  file\n    ${url}: ${reason}`), failure.message);
    }
    const asked = server.requests.map(({ path }) => path).filter((path) => path.startsWith('circle'));
    assert.deepEqual(asked, ['circle', 'circle/2'], 'once');
  }),
);

fetching(
  'goes through a proxy, except where NO_PROXY says not to',
  withServers(async (serve, cache) => {
    const server = await serve();
    const proxy = await serveProxy();
    try {
      const env = { HTTP_PROXY: `http://user:word@${proxy.url}` };
      expectCached(join(cache, 'a'), await fetchFrom(join(cache, 'a'), `${server.url}/file`, { env }));
      // As curl and Go do it: no tunnel for what is readable anyway.
      assert.deepEqual(proxy.seen, [`GET ${server.url}/file Basic ${Buffer.from('user:word').toString('base64')}`]);
      const lower = { http_proxy: proxy.url };
      expectCached(join(cache, 'b'), await fetchFrom(join(cache, 'b'), `${server.url}/file`, { env: lower }));
      assert.equal(proxy.seen.length, 2);
      const except = { ...env, NO_PROXY: 'example.org,127.0.0.1' };
      expectCached(join(cache, 'c'), await fetchFrom(join(cache, 'c'), `${server.url}/file`, { env: except }));
      assert.equal(proxy.seen.length, 2);
    } finally {
      proxy.close();
    }
    const gone = await fetchFrom(join(cache, 'd'), `${server.url}/file`, {
      env: { http_proxy: `http://user:word@${proxy.url}` },
    });
    assert.equal(gone.failure?.code, 'fetch-failed');
    assert.doesNotMatch(gone.failure.message, /word/);
  }),
);

fetching('a proxy that hangs up, or is not there, is asked as often as any server, and named', () =>
  inTemporaryFolder(async (cache) => {
    let asked = 0;
    const proxy = createServer().on('connect', (_, socket: Socket) => {
      asked++;
      socket.destroy();
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const env = { HTTPS_PROXY: `http://user:word@${host}` };
    const hangsUp = await fetchFrom(cache, 'https://example.invalid/file', { env });
    assert.match(
      hangsUp.failure?.message ?? '',
      new RegExp(`: the proxy ${host}: the connection broke \\(3 attempts\\)$`),
    );
    assert.equal(asked, 3);
    proxy.close();
    const gone = await fetchFrom(cache, 'https://example.invalid/file', { env });
    assert.match(gone.failure?.message ?? '', new RegExp(`: the proxy ${host}: nothing listens there `));
  }),
);

fetching(
  'a proxy that is none is told, without its password',
  withServers(async (serve, cache) => {
    const { url } = await serve();
    const { failure } = await fetchFrom(cache, `${url}/file`, { env: { HTTPS_PROXY: 'socks5://user:word@proxy:1' } });
    assert.equal(failure?.code, 'proxy-unusable');
    assert.equal(failure.message, 'HTTPS_PROXY is no address of an HTTP proxy; write it as http://HOST:PORT');
  }),
);

fetching.run();
