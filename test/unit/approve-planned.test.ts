import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { setTimeout } from 'node:timers/promises';
import { approvePlanned, watchPlanned, type Approving } from '../../src/approve/approve-planned.ts';
import type { NodeReport } from '../../src/approve/node-report.ts';
import { planOf, signersOf, type Plan } from '../../src/csr/plan.ts';
import type { Decision } from '../../src/csr/survey.ts';
import { CsrApi } from '../../src/edges/kubernetes/csr-api.ts';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { readKubeconfig } from '../../src/edges/kubernetes/read-kubeconfig.ts';
import { fakeApiServer, type FakeApiServer, type Fault, type Stored } from '../support/fake-apiserver.ts';
import { sequence } from '../support/der.ts';
import { clientCsrOf, commonName, csrOf, organization, servingParts } from '../support/make-csr.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What apiservers do on bad days. A good day with real ones is among the end-to-end tests.
const faults = suite('approving, with faults');

const plan = planOf({ nodes: [{ name: 'node1', address: '192.168.31.136' }] });

interface Ended {
  readonly reports: NodeReport[];
  readonly decisions: readonly Decision[];
  readonly troubles: readonly string[];
  readonly server: FakeApiServer;
}

interface Options {
  readonly stallMs?: number;
  readonly pauseMs?: number;
  readonly watchMs?: number;
  readonly deny?: boolean;
  readonly planned?: Plan;
  readonly prepare?: (server: FakeApiServer, folder: string) => unknown;
}

type Faults = Readonly<Record<string, readonly (Fault | undefined)[]>>;

/** In a cluster with these requests, by a login with the token `first`. */
function inCluster<T>(
  objects: readonly object[],
  faultsOf: Faults,
  work: (approving: Approving, server: FakeApiServer, told: Omit<Ended, 'reports' | 'server'>) => Promise<T>,
  { stallMs = 5000, pauseMs = 20, watchMs = 60_000, deny = false, planned = plan, prepare }: Options = {},
): Promise<T> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer(objects as Stored[], faultsOf);
    const user = { tokenFile: 'token' };
    writeFileSync(join(folder, 'token'), 'first\n');
    writeFileSync(join(folder, 'ca.pem'), server.certificate);
    writeFileSync(
      join(folder, 'config'),
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority': 'ca.pem' } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    prepare?.(server, folder);
    const end = new AbortController();
    const stderr = { write: (text: string) => void troubles.push(text) };
    const around = { env: {}, cwd: folder, now: () => new Date(), stderr, signal: end.signal };
    const api = new KubernetesApi(readKubeconfig({ kubeconfig: 'config' }, around), { signal: end.signal, stallMs });
    const decisions: Decision[] = [];
    const troubles: string[] = [];
    try {
      const approving = {
        plan: planned,
        authority: server.certificate,
        open: () => CsrApi.open(api, signersOf(planned)),
        onDecision: (decision: Decision) => void decisions.push(decision),
        onTrouble: (message: string) => void troubles.push(message),
        now: () => new Date('2020-08-02T15:00:00Z'),
        signal: end.signal,
        pauseMs,
        watchMs,
        deny,
      };
      return await work(approving, server, { decisions, troubles });
    } finally {
      end.abort('SIGTERM');
      await api.close();
      await server.close();
    }
  });
}

function approve(
  objects: readonly object[],
  faultsOf: Faults,
  { timeoutMs = 30_000, ...options }: Options & { readonly timeoutMs?: number } = {},
): Promise<Ended> {
  const once = async (approving: Approving, server: FakeApiServer, told: Omit<Ended, 'reports' | 'server'>) => {
    const reports = await approvePlanned({ ...approving, timeoutMs });
    return { reports, server, ...told };
  };
  return inCluster(objects, faultsOf, once, options);
}

/** Of each request, unless a test has another. */
const asked = '2020-08-02T14:50:00Z';

/** Approved once, told once, and issued. */
function expectApproved({ reports, decisions, server }: Ended, attempts: number): void {
  assert.deepEqual(reports, [{ node: 'node1', use: 'serving', state: 'issued', csr: 'csr-prd8t', asked, why: '' }]);
  assert.deepEqual(
    decisions.map(({ name, verdict }) => `${name} ${verdict.kind}`),
    ['csr-prd8t approve'],
  );
  assert.equal(server.objects.get('csr-prd8t')?.status.conditions?.length, 1);
  assert.equal(server.requests.filter(({ method }) => method === 'PUT').length, attempts);
}

const good = csrOf({}, {});

faults('none', async () => {
  const ended = await approve([good], {});
  expectApproved(ended, 1);
  assert.deepEqual(ended.troubles, []);
  // Which versions there are, what waits, the approval, and whether it is issued.
  assert.equal(ended.server.requests.length, 4);
});

faults('one list is enough where the apiserver tells nobody of what was before', async () => {
  const ended = await approve([good], {}, { prepare: (server) => (server.keeps = 0) });
  expectApproved(ended, 1);
  assert.equal(ended.server.requests.filter(({ path }) => path.includes('limit=')).length, 1);
});

const listFaults: readonly [string, Fault, RegExp][] = [
  ['an error of the apiserver', { status: 500 }, /HTTP 500/],
  ['a proxy that reaches nobody', { status: 503 }, /HTTP 503/],
  ['a connection that breaks', 'reset', /connection broke/],
  ['an answer cut short', 'cut short', /connection broke/],
  ['an answer that is no JSON', 'no JSON', /something else than JSON/],
  ['a list that has become too old', { status: 410 }, /HTTP 410/],
];
for (const [what, fault, says] of listFaults) {
  faults(`${what}: asked again`, async () => {
    const ended = await approve([good], { list: [fault] });
    expectApproved(ended, 1);
    assert.equal(ended.troubles.length, 1);
    assert.match(ended.troubles.join(), says);
  });
}

/** After a fault of a watch: whether all is listed again, which is for those only whose place in history is gone. */
const watchFaults: readonly [string, Fault, RegExp, 'list' | 'go on'][] = [
  ['an error of the apiserver', { status: 500 }, /HTTP 500/, 'go on'],
  ['a connection that breaks', 'reset', /connection broke/, 'go on'],
  ['a connection that breaks in a line', 'cut short', /connection broke/, 'go on'],
  ['a broken line', 'broken line', /cannot be read/, 'go on'],
  ['a watch that ends as soon as it begins', 'over at once', /ends a watch at once/, 'go on'],
  ['a page of a proxy', 'no JSON', /ends a watch at once/, 'go on'],
  ['silence', 'silence', /does not answer/, 'go on'],
  ['silence once it has begun', 'mute', /went silent/, 'go on'],
  ['an event that says that it is too late', 'expired', /too old resource version/, 'list'],
  ['an answer that says that it is too late', { status: 410 }, /HTTP 410/, 'list'],
  ['a login that is refused for a moment', { status: 401 }, /HTTP 401/, 'list'],
];
for (const [what, fault, says, then] of watchFaults) {
  faults(`to watch: ${what}`, async () => {
    const ended = await approve([good], { watch: [fault] }, { stallMs: 300, watchMs: 100 });
    expectApproved(ended, 1);
    assert.equal(ended.troubles.length, 1);
    assert.match(ended.troubles.join(), says);
    const lists = ended.server.requests.filter(({ path }) => path.includes('limit='));
    assert.equal(lists.length, then === 'list' ? 2 : 1);
  });
}

faults('silence is given up, and asked again', async () => {
  const ended = await approve([good], { list: ['silence'] }, { stallMs: 300 });
  expectApproved(ended, 1);
  assert.deepEqual(ended.troubles, ['it does not answer']);
});

faults('too many requests: left alone for as long as it wants', async () => {
  const wait = { status: 429, headers: { 'retry-after': '1' } };
  const ended = await approve([good], { approve: [wait] });
  expectApproved(ended, 2);
  const [first, second] = ended.server.requests.filter(({ method }) => method === 'PUT').map(({ at }) => at);
  assert.ok((second ?? 0) - (first ?? 0) >= 900);
});

faults('somebody changes the request meanwhile: judged again', async () => {
  expectApproved(await approve([good], { approve: ['changed', 'changed'] }), 3);
});

faults('the answer to an approval is lost: approved once, and told', async () => {
  // The watch shows it before it would be sent again.
  expectApproved(await approve([good], { approve: ['late reset'] }, { pauseMs: 1000 }), 1);
});

faults('an approval does not arrive: sent again', async () => {
  expectApproved(await approve([good], { approve: ['reset', { status: 500 }] }), 3);
});

faults('the request goes: that is no approval', async () => {
  const { reports, decisions } = await approve([good], { approve: ['gone'] }, { timeoutMs: 200 });
  assert.deepEqual(
    reports.map(({ state }) => state),
    ['no-request'],
  );
  assert.deepEqual(decisions, []);
});

faults('an apiserver that starts anew refuses for a moment', async () => {
  expectApproved(await approve([good], { watch: [{ status: 403 }], list: [undefined, { status: 401 }] }), 1);
});

faults('refused at once is refused', async () => {
  await assert.rejects(approve([good], { group: [{ status: 403 }] }), { code: 'cluster-refuses' });
});

faults('nobody there: told once, and no busy loop', async () => {
  const group = Array<Fault>(100).fill({ status: 503 });
  let server: FakeApiServer | undefined;
  const ended = approve([good], { group }, { timeoutMs: 1000, pauseMs: 200, prepare: (made) => (server = made) });
  await assert.rejects(ended, { name: 'SourceTrouble', message: /HTTP 503/ });
  // After 0.2, 0.4 and 0.8 seconds, which is when the time is up.
  const asked = server?.requests.length ?? 0;
  assert.ok(asked >= 2 && asked <= 4, `${asked} requests`);
});

faults('a token is renewed in its file', async () => {
  const renew = (server: FakeApiServer, folder: string): void => {
    server.tokens = ['first'];
    server.onRequest = () => {
      // While the first decision is under way it would be one that nobody may take.
      if (server.requests.filter(({ path }) => path.includes('watch=')).length < 2) return;
      server.tokens = ['second'];
      writeFileSync(join(folder, 'token'), 'second\n');
    };
  };
  const ended = await approve([good], { watch: ['over at once'] }, { prepare: renew });
  expectApproved(ended, 1);
  assert.match(ended.troubles.join(), /HTTP 401.*Unauthorized/);
});

faults('another certificate than was asked for is told', async () => {
  const request = csrOf({}, { status: { conditions: [{ type: 'Approved' }], certificate: 'LS0t' } });
  const { reports } = await approve([request], {}, { timeoutMs: 0 });
  assert.deepEqual(reports, [
    { node: 'node1', use: 'serving', state: 'wrong', csr: 'csr-prd8t', asked, why: 'it is no certificate' },
  ]);
});

faults('10,000 wait and 9,900 are bad: the good ones go through', async () => {
  const strangers = Array.from({ length: 9900 }, (_, index) =>
    csrOf(
      {},
      { metadata: { name: `csr-${index}`, uid: `uid-${index}` }, spec: { username: `system:node:stranger${index}` } },
    ),
  );
  const own = Array.from({ length: 100 }, (_, index) =>
    csrOf({}, { metadata: { name: `own-${index}`, uid: `own-${index}`, resourceVersion: String(index + 1) } }),
  );
  const ended = await approve([...strangers.slice(0, 5000), ...own, ...strangers.slice(5000)], {
    'list again': [{ status: 410 }],
  });
  assert.deepEqual(ended.reports, [{ node: 'node1', use: 'serving', state: 'issued', csr: 'own-99', asked, why: '' }]);
  const count = (reason: string) =>
    ended.decisions.filter(({ verdict }) => (verdict.kind === 'refuse' ? verdict.reason : verdict.kind) === reason)
      .length;
  assert.deepEqual(['node-not-planned', 'superseded', 'approve'].map(count), [9900, 99, 1]);
});

/** One whose requests are more than bake holds at once where they are to be denied. */
const padded = (count: number): object[] =>
  Array.from({ length: count }, (_, index) =>
    csrOf(
      {},
      {
        metadata: { name: `padded-${index}`, uid: `padded-${index}`, labels: { padding: 'x'.repeat(1 << 20) } },
        spec: { username: 'system:node:stranger' },
      },
    ),
  );

faults('more is to be denied than is held: listed again until all is, also where nobody is waited for', async () => {
  const { server, decisions } = await approve(
    [good, ...padded(40)],
    { approve: [undefined, { status: 503 }, 'gone'] },
    { deny: true },
  );
  const denied = [...server.objects.values()].filter(({ status }) => status.conditions?.[0]?.type === 'Denied');
  assert.equal(denied.length, 39);
  // One that has gone is not told of, and the good one is.
  assert.equal(decisions.length, 40);
  const lists = server.requests.filter(({ path }) => path.includes('limit='));
  assert.ok(lists.length >= 3 && lists.length <= 5, `${lists.length} lists`);
});

faults('what is held cannot be denied: that is no busy loop', async () => {
  const approve503 = Array<Fault>(1000).fill({ status: 503 });
  const { server } = await approve(padded(40), { approve: approve503 }, { deny: true, pauseMs: 300, timeoutMs: 1000 });
  assert.equal(server.requests.filter(({ path }) => path.includes('limit=')).length, 1);
  const puts = server.requests.filter(({ method }) => method === 'PUT');
  assert.ok(puts.length <= 3 * 16, `${puts.length} attempts`);
});

const watching = suite('watching, with faults');

interface Watched {
  readonly server: FakeApiServer;
  readonly troubles: readonly string[];
  /** `csr-prd8t approve` for each decision, `node1 issued csr-prd8t` for each report, in their order. */
  readonly said: readonly string[];
  /** Waits for something to be said. */
  readonly until: (line: string) => Promise<void>;
  readonly ended: Promise<unknown>;
}

/** @param work what happens while bake watches */
function watch(
  objects: readonly object[],
  faultsOf: Faults,
  work: (watched: Watched) => Promise<void>,
  { patienceMs = 60_000, ...options }: Options & { readonly patienceMs?: number } = {},
): Promise<void> {
  const watchIt = async (
    approving: Approving,
    server: FakeApiServer,
    { troubles }: Omit<Ended, 'reports' | 'server'>,
  ) => {
    const said: string[] = [];
    const onDecision = ({ name, verdict }: Decision, isDenied: boolean) => {
      const what = verdict.kind === 'refuse' ? verdict.reason : verdict.kind;
      said.push(`${name} ${isDenied ? 'denied ' : ''}${what}`);
    };
    const onReport = ({ node: name, state, csr }: NodeReport) => void said.push(`${name} ${state} ${csr}`);
    const ended = watchPlanned({ ...approving, onDecision, onReport, patienceMs }).catch((error: unknown) => error);
    const until = async (line: string): Promise<void> => {
      const deadline = performance.now() + 10_000;
      while (!said.includes(line)) {
        assert.ok(performance.now() < deadline, `${line} was not said: ${said.join(', ')}; ${troubles.join(', ')}`);
        await setTimeout(10);
      }
    };
    await work({ server, troubles, said, until, ended });
  };
  return inCluster(objects, faultsOf, watchIt, options);
}

/** One more request of node1. */
function another(name: string, spec = {}): Stored {
  const object: unknown = csrOf({}, { metadata: { name, uid: name, creationTimestamp: '2020-08-02T15:10:00Z' }, spec });
  return object as Stored;
}

const stranger = (name: string): Stored => another(name, { username: 'system:node:stranger' });

watching('what comes later is approved, and each thing is said once', () =>
  watch([good, stranger('a')], {}, async ({ server, said, until }) => {
    await until('node1 issued csr-prd8t');
    server.store('b', stranger('b'));
    server.store('c', another('c'));
    await until('node1 issued c');
    // Somebody labels one, and one goes.
    server.store('b', server.objects.get('b'));
    server.store('csr-prd8t', undefined);
    server.store('d', stranger('d'));
    await until('d node-not-planned');
    assert.deepEqual(said, [
      'a node-not-planned',
      'csr-prd8t approve',
      'node1 issued csr-prd8t',
      'b node-not-planned',
      'c approve',
      'node1 issued c',
      'd node-not-planned',
    ]);
    assert.equal(server.requests.filter(({ path }) => path.includes('limit=')).length, 1);
  }),
);

for (const [what, fault] of [
  ['is told that it is too late', 'expired'],
  ['ends', 'over at once'],
] as const) {
  watching(`a watch ${what} again and again: each thing is said once, and there is no busy loop`, () =>
    watch(
      [good, stranger('a')],
      { watch: Array<Fault>(1000).fill(fault) },
      async ({ server, said, troubles }) => {
        await setTimeout(1000);
        assert.deepEqual(said, ['a node-not-planned', 'csr-prd8t approve', ...said.slice(2)]);
        assert.ok(said.length <= 3 && troubles.length === 1, [...said, ...troubles].join());
        // Three of them a list: after 0, 0.1, 0.3 and 0.7 seconds at the earliest.
        assert.ok(server.requests.length <= 13, `${server.requests.length} requests`);
      },
      { pauseMs: 100 },
    ),
  );
}

watching('of a node that has asked often only the newest request is reported, also after a new list', () => {
  const decided = (name: string, second: number, status: Stored['status']): Stored => {
    const object = another(name);
    return { ...object, status, metadata: { ...object.metadata, creationTimestamp: `2020-08-02T15:10:0${second}Z` } };
  };
  const objects = [1, 2, 3].map((second) => decided(`r${second}`, second, { conditions: [{ type: 'Denied' }] }));
  return watch(objects, { watch: ['expired', 'expired'] }, async ({ server, said, until }) => {
    await until('node1 denied r3');
    server.store('r4', stranger('r4'));
    await until('r4 node-not-planned');
    assert.deepEqual(said, ['node1 denied r3', 'r4 node-not-planned']);
  });
});

watching('what was superseded is not approved when the newer one is gone, also after a new list', () =>
  watch(
    [good, another('c')],
    { watch: [undefined, 'expired'] },
    async ({ server, said, until }) => {
      await until('node1 issued c');
      server.store('c', undefined);
      const lists = () => server.requests.filter(({ path }) => path.includes('limit=')).length;
      while (lists() < 2) await setTimeout(10);
      server.store('b', stranger('b'));
      await until('b node-not-planned');
      const expected = ['b node-not-planned', 'c approve', 'csr-prd8t superseded', 'node1 issued c'];
      assert.deepEqual(said.toSorted(), expected);
      assert.equal(server.objects.get('csr-prd8t')?.status.conditions, undefined);
    },
    { watchMs: 100 },
  ),
);

watching('an apiserver that starts anew: what was asked for meanwhile is approved', () =>
  watch([good], {}, async ({ server, said, troubles, until }) => {
    await until('node1 issued csr-prd8t');
    await server.restart(500);
    server.store('c', another('c'));
    await until('node1 issued c');
    assert.deepEqual(said, ['csr-prd8t approve', 'node1 issued csr-prd8t', 'c approve', 'node1 issued c']);
    assert.ok(troubles.length > 0);
  }),
);

watching('approvals that do not get through are sent again, whatever else comes', () =>
  watch([good], { approve: [{ status: 503 }, 'changed', { status: 429 }] }, async ({ server, said, until }) => {
    await until('node1 issued csr-prd8t');
    assert.deepEqual(said, ['csr-prd8t approve', 'node1 issued csr-prd8t']);
    assert.equal(server.requests.filter(({ method }) => method === 'PUT').length, 4);
  }),
);

/** What node2 asks for, as it is planned to. */
const ofNode2 = csrOf(servingParts('node2', [192, 168, 31, 90]), {
  metadata: { name: 'stuck', uid: 'stuck' },
  spec: { username: 'system:node:node2' },
}) as unknown as Stored;
const withNode2 = planOf({
  nodes: [
    { name: 'node1', address: '192.168.31.136' },
    { name: 'node2', address: '192.168.31.90' },
  ],
});

const byTokens = planOf({ nodes: [{ name: 'node1', address: '192.168.31.136' }] }, () => 'abcdef');

function clientRequest(name: string, others: Parameters<typeof clientCsrOf>[1] = {}): Stored {
  const metadata = { name, uid: name, creationTimestamp: '2020-08-02T15:10:00Z' };
  return clientCsrOf({}, { metadata, ...others }) as unknown as Stored;
}

watching('where client certificates are approved too, requests for other signers go by', () =>
  watch(
    [clientRequest('listed', { spec: { signerName: 'example.org/listed' } }), clientRequest('a')],
    {},
    async ({ server, said, until }) => {
      await until('node1 issued a');
      server.store('watched', clientRequest('watched', { spec: { signerName: 'example.org/watched' } }));
      server.store('unnamed', clientRequest('unnamed', { spec: { signerName: undefined } }));
      server.store('good', another('good'));
      await until('node1 issued good');
      server.store('unknown', clientRequest('unknown', { spec: { username: 'system:bootstrap:zzzzzz' } }));
      await until('unknown token-unknown');
      const status = { conditions: [{ type: 'Approved' }], certificate: 'LS0t' };
      server.store('b', clientRequest('b', { status }));
      await until('node1 wrong b');
      const expected = ['a approve', 'node1 issued a', 'good approve', 'node1 issued good', 'unknown token-unknown'];
      assert.deepEqual(said, [...expected, 'node1 wrong b']);
      assert.equal(server.requests.filter(({ path }) => path.includes('limit=')).length, 1);
    },
    { planned: byTokens },
  ),
);

watching('to deny: a stolen token is denied, and one that may be of a newer compile waits', () =>
  watch(
    [clientRequest('unknown', { spec: { username: 'system:bootstrap:zzzzzz' } })],
    {},
    async ({ server, said, until }) => {
      await until('unknown token-unknown');
      const subject = sequence(organization, commonName('system:node:node2'));
      server.store(
        'stolen',
        clientCsrOf({ subject }, { metadata: { name: 'stolen', uid: 'stolen' } }) as unknown as Stored,
      );
      await until('stolen denied token-of-other-node');
      await until('node1 denied stolen');
      assert.deepEqual(said.slice(1), ['stolen denied token-of-other-node', 'node1 denied stolen']);
      assert.deepEqual(server.objects.get('unknown')?.status, {});
    },
    { planned: byTokens, deny: true },
  ),
);

// That a login may not approve at all is told at once, elsewhere.
for (const status of [500, 422, 403]) {
  watching(`a decision that HTTP ${status} answers for ever keeps no other waiting`, () =>
    watch(
      status === 403 ? [good] : [],
      { 'approve stuck': Array<Fault>(1000).fill({ status }) },
      async ({ server, said, until, troubles }) => {
        if (status === 403) await until('node1 issued csr-prd8t');
        server.store('stuck', ofNode2);
        await setTimeout(300);
        server.store('c', another('c'));
        await until('node1 issued c');
        assert.deepEqual(said.slice(-2), ['c approve', 'node1 issued c']);
        assert.ok(!said.join().includes('stuck'));
        assert.match(troubles.join('|'), new RegExp(`^stuck is not decided: [^|]*HTTP ${status}[^|]*$`));
        // After 50, 150 and 350 ms at the earliest.
        const tried = server.requests.filter(({ path }) => path.includes('/stuck/')).length;
        assert.ok(tried >= 2 && tried <= 5, `tried ${tried} times`);
        assert.equal(server.requests.filter(({ path }) => path.includes('limit=')).length, 1);
      },
      { pauseMs: 50, planned: withNode2 },
    ),
  );
}

watching('a certificate that never comes is told once; that it comes at last, too', () =>
  watch(
    [],
    {},
    async ({ server, said, until }) => {
      server.signs = false;
      server.store('c', another('c'));
      await until('node1 approved c');
      await setTimeout(300);
      assert.deepEqual(said, ['c approve', 'node1 approved c']);
      server.sign('c');
      await until('node1 issued c');
    },
    { patienceMs: 200 },
  ),
);

watching('a wrong certificate, a denial and a failure are told', () =>
  watch([], {}, async ({ server, said, until }) => {
    const decided = async (name: string, says: string, status: Stored['status']): Promise<void> => {
      server.store(name, { ...another(name), status });
      await until(`node1 ${says} ${name}`);
    };
    await decided('a', 'wrong', { conditions: [{ type: 'Approved' }], certificate: 'LS0t' });
    await decided('b', 'denied', { conditions: [{ type: 'Denied' }] });
    await decided('c', 'failed', { conditions: [{ type: 'Approved' }, { type: 'Failed' }] });
    assert.deepEqual(said, ['node1 wrong a', 'node1 denied b', 'node1 failed c']);
  }),
);

watching('to deny: what is refused is denied, whatever goes wrong, and good requests never are', () =>
  watch(
    [good, another('c')],
    // The first is the approval.
    { approve: [undefined, 'late reset', 'changed', { status: 503 }] },
    async ({ server, said, until }) => {
      await until('node1 issued c');
      server.store('a', stranger('a'));
      await until('a denied node-not-planned');
      server.store('b', stranger('b'));
      await until('b denied node-not-planned');
      server.store('d', another('d', { usages: ['client auth'] }));
      await until('node1 denied d');
      server.store('e', another('e', { signerName: 'kubernetes.io/kube-apiserver-client' }));
      await until('e signer-other');
      assert.deepEqual(said.toSorted(), [
        'a denied node-not-planned',
        'b denied node-not-planned',
        'c approve',
        'csr-prd8t superseded',
        'd denied usages-other',
        'e signer-other',
        'node1 denied d',
        'node1 issued c',
      ]);
      assert.deepEqual(server.objects.get('d')?.status.conditions, [
        {
          type: 'Denied',
          status: 'True',
          reason: 'UsagesOther',
          message: 'bake approve-csrs: it is to be for "client auth"',
          lastUpdateTime: '2020-08-02T15:00:00Z',
        },
      ]);
      for (const name of ['csr-prd8t', 'e']) assert.equal(server.objects.get(name)?.status.conditions, undefined);
    },
    { deny: true },
  ),
);

watching('who is not there yet is waited for', () =>
  watch(
    [good],
    { group: [{ status: 503 }, 'reset'], list: ['silence'] },
    ({ until }) => until('node1 issued csr-prd8t'),
    {
      stallMs: 300,
    },
  ),
);

watching('refused at once is refused', () =>
  watch([good], { list: [{ status: 403 }] }, async ({ ended }) => {
    const { code } = (await ended) as { code?: string };
    assert.equal(code, 'cluster-refuses');
  }),
);

faults.run();
watching.run();
