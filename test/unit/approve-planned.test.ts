import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { approvePlanned } from '../../src/approve/approve-planned.ts';
import type { NodeReport } from '../../src/approve/node-report.ts';
import { plannedIdentity } from '../../src/cluster/planned-identity.ts';
import type { Decision } from '../../src/csr/survey.ts';
import { CsrApi } from '../../src/edges/kubernetes/csr-api.ts';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { readKubeconfig } from '../../src/edges/kubernetes/read-kubeconfig.ts';
import { fakeApiServer, type FakeApiServer, type Fault, type Stored } from '../support/fake-apiserver.ts';
import { csrOf } from '../support/make-csr.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What apiservers do on bad days. A good day with real ones is among the end-to-end tests.
const faults = suite('approving, with faults');

const node = { name: 'node1', address: '192.168.31.136', interfaces: [], nameservers: [], searchDomains: [] };
const plan = new Map([['system:node:node1', plannedIdentity(node)]]);

interface Ended {
  readonly reports: NodeReport[];
  readonly decisions: readonly Decision[];
  readonly troubles: readonly string[];
  readonly server: FakeApiServer;
}

interface Options {
  readonly timeoutMs?: number;
  readonly stallMs?: number;
  readonly pauseMs?: number;
  readonly prepare?: (server: FakeApiServer, folder: string) => unknown;
}

function approve(
  objects: readonly object[],
  planned: Readonly<Record<string, readonly (Fault | undefined)[]>>,
  { timeoutMs = 30_000, stallMs = 5000, pauseMs = 20, prepare }: Options = {},
): Promise<Ended> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer(objects as Stored[], planned);
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
    const { signal } = new AbortController();
    const api = new KubernetesApi(readKubeconfig({ kubeconfig: 'config' }, { env: {}, cwd: folder }), {
      signal,
      stallMs,
    });
    const decisions: Decision[] = [];
    const troubles: string[] = [];
    try {
      const reports = await approvePlanned({
        plan,
        authority: server.certificate,
        open: () => CsrApi.open(api),
        timeoutMs,
        onDecision: (decision) => void decisions.push(decision),
        onTrouble: (message) => void troubles.push(message),
        now: () => new Date('2020-08-02T15:00:00Z'),
        signal,
        pauseMs,
      });
      return { reports, decisions, troubles, server };
    } finally {
      await api.close();
      await server.close();
    }
  });
}

/** Approved once, told once, and issued. */
function expectApproved({ reports, decisions, server }: Ended, attempts: number): void {
  assert.deepEqual(reports, [{ node: 'node1', state: 'issued', csr: 'csr-prd8t', why: '' }]);
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
    const ended = await approve([good], { list: [fault, undefined, fault] });
    expectApproved(ended, 1);
    assert.ok(
      ended.troubles.length > 0 && ended.troubles.every((trouble) => says.test(trouble)),
      ended.troubles.join(),
    );
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
  expectApproved(await approve([good], { approve: ['late reset'] }), 1);
});

faults('an approval does not arrive: sent again', async () => {
  expectApproved(await approve([good], { approve: ['reset', { status: 500 }] }), 3);
});

faults('the request goes: that is no approval', async () => {
  const { reports, decisions } = await approve([good], { approve: ['gone'] }, { timeoutMs: 200 });
  assert.deepEqual(
    reports.map(({ state }) => state),
    ['missing'],
  );
  assert.deepEqual(decisions, []);
});

faults('an apiserver that starts anew refuses for a moment', async () => {
  expectApproved(await approve([good], { list: [undefined, { status: 403 }, { status: 401 }] }), 1);
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
      if (server.requests.filter(({ path }) => path.includes('?')).length < 2) return;
      server.tokens = ['second'];
      writeFileSync(join(folder, 'token'), 'second\n');
    };
  };
  const ended = await approve([good], {}, { prepare: renew });
  expectApproved(ended, 1);
  assert.match(ended.troubles.join(), /HTTP 401.*Unauthorized/);
});

faults('another certificate than was asked for is told', async () => {
  const request = csrOf({}, { status: { conditions: [{ type: 'Approved' }], certificate: 'LS0t' } });
  const { reports } = await approve([request], {}, { timeoutMs: 0 });
  assert.deepEqual(reports, [{ node: 'node1', state: 'wrong', csr: 'csr-prd8t', why: 'it is no certificate' }]);
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
  assert.deepEqual(ended.reports, [{ node: 'node1', state: 'issued', csr: 'own-99', why: '' }]);
  const count = (reason: string) =>
    ended.decisions.filter(({ verdict }) => (verdict.kind === 'refuse' ? verdict.reason : verdict.kind) === reason)
      .length;
  assert.deepEqual(['node-not-planned', 'superseded', 'approve'].map(count), [9900, 99, 1]);
});

faults.run();
