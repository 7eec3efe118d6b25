import assert from 'node:assert/strict';
import dns from 'node:dns';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { readKubeconfig } from '../../src/edges/kubernetes/read-kubeconfig.ts';
import { connectionTo } from '../support/connection-to.ts';
import { writePlugin } from '../support/exec-plugin.ts';
import { fakeApiServer, type FakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { csrOf } from '../support/make-csr.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const never = new AbortController().signal;

// How an answer that goes on and on comes to its end; what it says is for those who watch.
const answers = suite('answers without end');

function withServer(work: (api: KubernetesApi, server: FakeApiServer) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
    const api = new KubernetesApi(connectionTo(server), { signal: new AbortController().signal });
    try {
      await work(api, server);
    } finally {
      await api.close();
      await server.close();
    }
  };
}

const group = '/apis/certificates.k8s.io';
const watch =
  '/apis/certificates.k8s.io/v1/certificatesigningrequests?watch=true&timeoutSeconds=60&resourceVersion=1042';

answers(
  'who stops reading ends it, also before the first line',
  withServer(async (api, server) => {
    for (const wanted of [0, 1]) {
      let count = -1;
      for await (const lines of api.lines(watch, { lengthMs: 60_000, signal: new AbortController().signal })) {
        count += 1;
        assert.equal(lines.length > 0, count > 0);
        if (count === wanted) break;
        server.store('csr-prd8t', server.objects.get('csr-prd8t'));
      }
      assert.equal(count, wanted);
    }
    for (const start = performance.now(); server.watchers > 0;) {
      assert.ok(performance.now() - start < 5000, `${server.watchers} watches are left`);
      await setTimeout(10);
    }
  }),
);

answers(
  'it is over when that is said, also while nobody reads',
  withServer(async (api) => {
    const started = performance.now();
    for await (const lines of api.lines(watch, { lengthMs: 60_000, signal: AbortSignal.timeout(100) })) {
      assert.deepEqual(lines, []);
      await setTimeout(300);
    }
    for await (const lines of api.lines(watch, { lengthMs: 60_000, signal: AbortSignal.timeout(100) }))
      assert.deepEqual(lines, []);
    assert.ok(performance.now() - started < 5000);
  }),
);

answers('an answer without end is given up', async () => {
  const server = await fakeApiServer([], { group: ['endless'] });
  const api = new KubernetesApi(connectionTo(server), { signal: new AbortController().signal });
  try {
    const before = process.memoryUsage.rss();
    await assert.rejects(api.call('GET', group), { name: 'SourceTrouble', message: /an answer without end/ });
    assert.ok(process.memoryUsage.rss() - before < 1 << 30);
  } finally {
    await api.close();
    await server.close();
  }
});

const servers = suite('apiservers of which some are gone');

/** With a first server that is another than the one that answers. */
function withStandIn(
  first: string,
  work: (api: KubernetesApi, server: FakeApiServer) => Promise<void>,
  tls: object = {},
): () => Promise<void> {
  return async () => {
    const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
    const connection = connectionTo(server);
    const { headers, tls: trust } = await connection.login(never);
    const api = new KubernetesApi(
      {
        ...connection,
        servers: [first.replace('PORT', new URL(server.url).port), server.url],
        login: () => ({ headers, tls: { ...trust, ...tls } }),
      },
      { signal: new AbortController().signal, stallMs: 1000 },
    );
    try {
      await work(api, server);
    } finally {
      await api.close();
      await server.close();
    }
  };
}

const decided = { metadata: { name: 'csr-prd8t', resourceVersion: '1042' }, status: {} };
const approval = `${group}/v1/certificatesigningrequests/csr-prd8t/approval`;

servers(
  'what only reads is asked of the next at once, and what writes is when it is tried again',
  withStandIn('https://127.0.0.1:1', async (api, server) => {
    await assert.rejects(api.call('PUT', approval, decided), { name: 'SourceTrouble', message: /nothing listens/ });
    assert.equal(api.server, 'https://127.0.0.1:1');
    assert.equal((await api.call('PUT', approval, decided)).status, 200);
    assert.equal(api.server, server.url);
    assert.equal(server.requests.length, 1);
  }),
);

servers(
  'it stays with the one that answers',
  withStandIn('https://192.0.2.77', async (api, server) => {
    const started = performance.now();
    // A blackhole, wherever these addresses lead nowhere: it costs the time for silence once.
    for (let count = 0; count < 5; count++) assert.equal((await api.call('GET', group)).status, 200);
    assert.ok(performance.now() - started < 4000);
    await server.close();
    await assert.rejects(api.call('GET', group), { name: 'SourceTrouble' });
  }),
);

servers(
  'of those that are asked at once one failure counts once',
  withStandIn('https://127.0.0.1:1', async (api, server) => {
    const all = await Promise.allSettled(Array.from({ length: 15 }, () => api.call('PUT', approval, decided)));
    assert.ok(all.every(({ status }) => status === 'rejected'));
    assert.equal((await api.call('PUT', approval, decided)).status, 200);
    assert.equal(server.requests.length, 1);
  }),
);

servers('5xx leads to the next one, 429 does not', async () => {
  const server = await fakeApiServer([], { group: [{ status: 429 }, { status: 503 }] });
  const other = server.url.replace('127.0.0.1', 'localhost');
  const connection = { ...connectionTo(server), servers: [server.url, other] as const };
  const api = new KubernetesApi(connection, { signal: new AbortController().signal });
  try {
    await assert.rejects(api.call('GET', group), { message: /asked too often/ });
    assert.equal(api.server, server.url);
    assert.equal((await api.call('GET', group)).status, 200);
    assert.equal(api.server, other);
    assert.equal(server.requests.length, 3);
  } finally {
    await api.close();
    await server.close();
  }
});

servers('only of the one that the kubeconfig names a certificate that is not trusted is the end', async () => {
  const [meant, other] = [await fakeApiServer([], { group: ['reset'] }), await fakeApiServer([])];
  const connection = { ...connectionTo(meant), servers: [meant.url, other.url] as const };
  const api = new KubernetesApi(connection, { signal: new AbortController().signal });
  try {
    await assert.rejects(api.call('GET', group), { name: 'SourceTrouble', message: /certificate is not trusted/ });
    assert.equal(api.server, other.url);
    assert.equal((await api.call('GET', group)).status, 200);
  } finally {
    await api.close();
    await meant.close();
    await other.close();
  }
});

servers('of several addresses of one name those that lead nowhere cost little', async () => {
  const server = await fakeApiServer([]);
  const { lookup } = dns;
  const addresses = ['127.0.0.9', '192.0.2.77', '127.0.0.1'].map((address) => ({ address, family: 4 }));
  dns.lookup = ((_: string, __: object, answer: (error: null, all: typeof addresses) => void) =>
    answer(null, addresses)) as unknown as typeof lookup;
  const connection = connectionTo(server);
  const { headers, tls } = await connection.login(never);
  const { port } = new URL(server.url);
  const api = new KubernetesApi(
    {
      ...connection,
      servers: [`https://several.example:${port}`],
      login: () => ({ headers, tls: { ...tls, servername: 'localhost' } }),
    },
    { signal: new AbortController().signal },
  );
  try {
    const started = performance.now();
    assert.equal((await api.call('GET', group)).status, 200);
    assert.ok(performance.now() - started < 3000);
  } finally {
    dns.lookup = lookup;
    await api.close();
    await server.close();
  }
});

const logins = suite('what TLS takes is renewed');

logins(
  'another authority counts for the next request, and what is under way goes on',
  withServer(async (_, server) => {
    const connection = connectionTo(server);
    const another = await fakeApiServer([]);
    let ca = server.certificate;
    const login = () => ({ headers: {}, tls: { ca: Buffer.from(ca) } });
    const api = new KubernetesApi({ ...connection, login }, { signal: new AbortController().signal });
    try {
      let count = 0;
      for await (const lines of api.lines(watch, { lengthMs: 60_000, signal: AbortSignal.timeout(5000) })) {
        if (lines.length === 0) {
          ca = another.certificate;
          await assert.rejects(api.call('GET', group), { code: 'cluster-untrusted' });
          ca = server.certificate;
          assert.equal((await api.call('GET', group)).status, 200);
          server.store('csr-prd8t', server.objects.get('csr-prd8t'));
        }
        count += lines.length;
        if (count > 0) break;
      }
      assert.equal(count, 1);
    } finally {
      await api.close();
      await another.close();
    }
  }),
);

logins('a plugin that hangs is left by whoever is ended, and ends itself once nobody waits for it', () =>
  inTemporaryFolder(async (folder) => {
    const { exec, runs } = writePlugin(folder, `echo $$ >${folder}/pid; exec sleep 60`);
    writeFileSync(join(folder, 'config'), kubeconfigOf('https://127.0.0.1:1', 'ca.pem', { exec }));
    writeFileSync(join(folder, 'ca.pem'), '');
    const stderr = { write: () => undefined };
    const around = { env: {}, cwd: folder, now: () => new Date(), stderr, signal: never };
    const connection = readKubeconfig({ kubeconfig: 'config' }, around);
    const [first, second] = [new AbortController(), new AbortController()];
    const call = ({ signal }: AbortController, method: 'GET' | 'PUT') =>
      new KubernetesApi(connection, { signal }).call(method, group, {}).catch((error: unknown) => error);
    const calls = [call(first, 'GET'), call(first, 'PUT'), call(second, 'GET')] as const;
    const until = async (isSo: () => boolean): Promise<void> => {
      for (const start = performance.now(); !isSo();) {
        assert.ok(performance.now() - start < 5000);
        await setTimeout(10);
      }
    };
    const pid = join(folder, 'pid');
    await until(() => existsSync(pid) && readFileSync(pid, 'utf8') !== '');
    const isThere = (): boolean => {
      try {
        return process.kill(Number(readFileSync(pid, 'utf8')), 0);
      } catch {
        return false;
      }
    };
    first.abort('lost');
    const late = setTimeout(5000, 'it is waited for');
    assert.deepEqual(await Promise.race([Promise.all(calls.slice(0, 2)), late]), ['lost', 'lost']);
    await setTimeout(200);
    assert.ok(isThere());
    second.abort('lost too');
    assert.equal(await Promise.race([calls[2], late]), 'lost too');
    await until(() => !isThere());
    // That was no failure of the plugin: it is asked anew.
    const third = new AbortController();
    const again = call(third, 'GET');
    await until(() => runs() === 2);
    third.abort('over');
    assert.equal(await again, 'over');
    await until(() => !isThere());
  }),
);

const proxies = suite('proxies that make no tunnel');

for (const [what, answer, says] of [
  ['one that is silent', undefined, /^the proxy 127\.0\.0\.1:\d+: it does not answer$/],
  ['one that reaches nobody', '502 Bad Gateway', /^the proxy answers HTTP 502$/],
  ['one that wants a login', '407 Proxy Authentication Required', /: the proxy wants a login \(HTTP 407\)$/],
] as const) {
  proxies(`${what} is told`, async () => {
    const sockets: Socket[] = [];
    const proxy = createServer().on('connect', (_, socket: Socket) => {
      sockets.push(socket);
      if (answer !== undefined) socket.end(`HTTP/1.1 ${answer}\r\n\r\n`);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const api = new KubernetesApi(
      {
        servers: ['https://apiserver.example'],
        proxyFor: () => `http://127.0.0.1:${port}`,
        login: () => ({ headers: {}, tls: {} }),
        forget: () => undefined,
      },
      { signal: new AbortController().signal, stallMs: 500 },
    );
    const started = performance.now();
    try {
      await assert.rejects(api.call('GET', group), { message: says });
      assert.ok(performance.now() - started < 5000);
    } finally {
      await api.close();
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });
}

answers.run();
servers.run();
logins.run();
proxies.run();
