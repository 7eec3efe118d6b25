import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { fakeApiServer, type FakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { csrOf } from '../support/make-csr.ts';

// How an answer that goes on and on comes to its end; what it says is for those who watch.
const answers = suite('answers without end');

function withServer(work: (api: KubernetesApi, server: FakeApiServer) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
    const connection = { server: server.url, tls: { ca: Buffer.from(server.certificate) }, token: () => undefined };
    const api = new KubernetesApi(connection, { signal: new AbortController().signal });
    try {
      await work(api, server);
    } finally {
      await api.close();
      await server.close();
    }
  };
}

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

answers.run();
