import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { request as httpRequest } from 'undici';
import { suite } from 'uvu';
import { copyGuide } from '../support/copy-guide.ts';
import { sequence } from '../support/der.ts';
import { clientCsrOf, commonName, csrOf, organization, p256, servingParts } from '../support/make-csr.ts';
import { fakeApiServer, type FakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { freePort } from '../support/free-port.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What `kubectl get csr -o json` has saved is judged, and the world stays as it is.
const offline = suite('approve-csrs --from-file');

const keyDigest = createHash('sha256')
  .update(p256.publicKey.export({ type: 'spki', format: 'der' }))
  .digest('hex');

/** The guide's three nodes: one asks as planned, one for the address of another, and one has its certificate. */
const saved = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    request('csr-prd8t', 'node1', [192, 168, 31, 136]),
    request('csr-vn6c2', 'node2', [192, 168, 31, 44]),
    request('csr-w77nj', 'master', [192, 168, 31, 44], { conditions: [{ type: 'Approved' }], certificate: 'LS0t' }),
    request(
      'csr-bsvp6',
      'node1',
      [],
      {},
      { signerName: 'kubernetes.io/kube-apiserver-client-kubelet', username: 'system:bootstrap:hcchoh' },
    ),
  ],
};

function request(name: string, node: string, address: number[], status = {}, spec = {}) {
  return csrOf(servingParts(node, address), {
    metadata: { name, uid: name },
    spec: { username: `system:node:${node}`, ...spec },
    status,
  });
}

function bake(command: string, stdin?: string) {
  return inTemporaryFolder((folder) => {
    copyGuide(folder);
    writeFileSync(join(folder, 'csrs.json'), JSON.stringify(saved));
    writeFileSync(join(folder, 'table.txt'), 'NAME AGE REQUESTOR CONDITION\n');
    writeFileSync(join(folder, 'pods.json'), '{"apiVersion": "v1", "kind": "PodList", "items": []}');
    return runBake(command.split(' ').slice(1), { cwd: folder, ...(stdin === undefined ? {} : { stdin }) });
  });
}

const table = `NAME       REQUESTER                USE      STATE    VERDICT  WHY
csr-prd8t  system:node:node1        serving  pending  approve
csr-vn6c2  system:node:node2        serving  pending  refuse   name-not-planned: it names "192.168.31.44"; the plan gives it node2 and 192.168.31.90
csr-w77nj  system:node:master       serving  issued
csr-bsvp6  system:bootstrap:hcchoh  client   pending  refuse   signer-other: its signer is "kubernetes.io/kube-apiserver-client-kubelet"
`;

const time = '2020-08-02T14:12:04.000Z';
const audit = [
  {
    time,
    csr: 'csr-prd8t',
    node: 'node1',
    use: 'serving',
    verdict: 'approve',
    reason: 'as-planned',
    key: keyDigest,
    dryRun: true,
  },
  {
    time,
    csr: 'csr-vn6c2',
    node: 'node2',
    use: 'serving',
    verdict: 'refuse',
    reason: 'name-not-planned',
    message: 'it names "192.168.31.44"; the plan gives it node2 and 192.168.31.90',
    key: keyDigest,
    dryRun: true,
  },
  {
    time,
    csr: 'csr-bsvp6',
    node: 'system:bootstrap:hcchoh',
    use: 'client',
    verdict: 'refuse',
    reason: 'signer-other',
    message: 'its signer is "kubernetes.io/kube-apiserver-client-kubelet"',
    dryRun: true,
  },
];

offline('each request has its verdict on stdout, and its line of JSON on stderr', async () => {
  for (const [command, stdin] of [
    ['bake approve-csrs --from-file csrs.json', undefined],
    ['bake approve-csrs cluster.yaml --from-file -', JSON.stringify(saved)],
  ] as const) {
    const { exitCode, stdout, stderr } = await bake(command, stdin);
    assert.equal(stdout, table);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(lines, audit);
    assert.equal(exitCode, 0);
  }
});

offline('-o json says the same', async () => {
  const { exitCode, stdout } = await bake('bake approve-csrs --from-file csrs.json -o json');
  const { good, requests } = JSON.parse(stdout) as { good: boolean; requests: Record<string, unknown>[] };
  assert.deepEqual([exitCode, good, requests.length], [0, true, 4]);
  const [approved, refused, issued] = requests;
  const requester = 'system:node:node1';
  assert.deepEqual(approved, {
    name: 'csr-prd8t',
    requester,
    use: 'serving',
    state: 'pending',
    verdict: 'approve',
    key: keyDigest,
  });
  assert.equal(refused?.['reason'], 'name-not-planned');
  assert.deepEqual(issued, {
    name: 'csr-w77nj',
    requester: 'system:node:master',
    use: 'serving',
    state: 'issued',
    verdict: 'none',
  });
});

offline('nothing to judge is no error', async () => {
  const { exitCode, stdout, stderr } = await bake(
    'bake approve-csrs --from-file -',
    '{"apiVersion": "v1", "kind": "List", "items": []}',
  );
  assert.deepEqual([exitCode, stdout, stderr], [0, '', 'no requests\n']);
});

offline('--explain tells why, and what to do', async () => {
  const { exitCode, stdout, stderr } = await bake('bake approve-csrs --from-file csrs.json --explain csr-vn6c2');
  assert.equal(
    stdout,
    `csr-vn6c2: asked for by system:node:node2, for a serving certificate, pending
refuse name-not-planned: the request names a host or an address that the plan does not give this node
  it names "192.168.31.44"; the plan gives it node2 and 192.168.31.90
Where the node is right, correct its name or address in the description; else somebody on this node asks for the identity of another machine.
SHA-256 of its key: ${keyDigest}
`,
  );
  assert.deepEqual([exitCode, stderr], [0, '']);

  const good = await bake('bake approve-csrs --from-file csrs.json --explain csr-prd8t');
  assert.match(good.stdout, /^csr-prd8t: .*, pending\napprove: /);
  const decided = await bake('bake approve-csrs --from-file csrs.json --explain csr-w77nj');
  assert.match(decided.stdout, /^csr-w77nj: .*, issued\nIt was decided before\.\n$/);

  const { stdout: json } = await bake('bake approve-csrs --from-file csrs.json --explain csr-vn6c2 -o json');
  const { request: told } = JSON.parse(json) as { request: Record<string, unknown> };
  assert.ok(told['verdict'] === 'refuse' && told['reason'] === 'name-not-planned' && told['remedy'] !== undefined);
});

offline('what cannot be judged is told', async () => {
  const cases: readonly [string, string, number, RegExp][] = [
    ['--from-file none.json', 'csrs-unreadable', 3, /none\.json does not exist; `kubectl get csr -o json` prints one/],
    ['--from-file table.txt', 'csrs-unreadable', 3, /table\.txt is not JSON/],
    ['--from-file pods.json', 'csrs-unreadable', 3, /pods\.json is no list of certificate signing requests/],
    ['--from-file -', 'csrs-unreadable', 3, /stdin is not JSON/],
    ['--from-file csrs.json --explain csr-prd8', 'unknown-csr', 2, /did you mean csr-prd8t\?/],
    ['--from-file csrs.json --explain elsewhere', 'unknown-csr', 2, /`kubectl get csr` lists them/],
    ['none.yaml --from-file csrs.json', 'description-unreadable', 3, /none\.yaml does not exist/],
  ];
  for (const [words, code, exit, says] of cases) {
    const { exitCode, stdout, stderr } = await bake(`bake approve-csrs ${words}`);
    assert.match(stderr, new RegExp(`^error ${code}: `, 'm'));
    assert.match(stderr, says);
    assert.deepEqual([exitCode, stdout], [exit, ''], words);
  }
});

offline('with -o json an error is one document too', async () => {
  for (const [words, code, exit] of [
    ['--from-file none.json -o json', 'csrs-unreadable', 3],
    ['--from-file csrs.json --explain csr-prd8 --output=json', 'unknown-csr', 2],
    ['--kubeconfig none -ojson', 'kubeconfig-unusable', 3],
    ['none.yaml --from-file csrs.json -o json', 'description-unreadable', 3],
  ] as const) {
    const { exitCode, stdout, stderr } = await bake(`bake approve-csrs ${words}`);
    const { good, error } = JSON.parse(stdout) as { good: boolean; error: { code: string; message: string } };
    assert.deepEqual([exitCode, good, error.code], [exit, false, code]);
    assert.equal(stderr, `error ${code}: ${error.message}\n`);
  }
  const { exitCode, stdout, stderr } = await bake('bake approve-csrs csrs.json --from-file csrs.json -o json');
  const { good, diagnostics } = JSON.parse(stdout) as { good: boolean; diagnostics: object[] };
  assert.deepEqual([exitCode, good, diagnostics.length > 0, stderr], [1, false, true, '']);
});

offline('-o is a form where it is one, and else a place', () =>
  inTemporaryFolder(async (folder) => {
    const { exitCode, stdout } = await runBake(['compile', 'none.yaml', '-o', 'json'], { cwd: folder });
    assert.deepEqual([exitCode, stdout], [3, '']);
  }),
);

offline('--audit-log is added to, and is for its owner', () =>
  inTemporaryFolder(async (folder) => {
    copyGuide(folder);
    writeFileSync(join(folder, 'csrs.json'), JSON.stringify(saved));
    const judge = (log: string) =>
      runBake(['approve-csrs', '--from-file', 'csrs.json', '--audit-log', log], { cwd: folder });
    for (const expected of [audit, [...audit, ...audit]]) {
      const { exitCode, stdout, stderr } = await judge('audit.jsonl');
      assert.deepEqual([exitCode, stdout, stderr], [0, table, '']);
      const lines = readFileSync(join(folder, 'audit.jsonl'), 'utf8').trimEnd().split('\n');
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as unknown),
        expected,
      );
    }
    assert.equal(statSync(join(folder, 'audit.jsonl')).mode & 0o777, 0o600);

    const { exitCode, stdout, stderr } = await judge('none/audit.jsonl');
    assert.match(stderr, /^error output-unwritable: cannot write .*ENOENT.*; correct --audit-log\n$/);
    assert.deepEqual([exitCode, stdout], [3, '']);
  }),
);

/** Of the tokens that are made here for the guide's nodes. */
const tokenIds = { master: 'abcdef', node1: 'abcdeg', node2: 'abcdeh' };

/** The guide's cluster with `approval: plan`, compiled. */
async function describeByPlan(folder: string): Promise<void> {
  copyGuide(folder);
  appendFileSync(join(folder, 'cluster.yaml'), 'approval: plan\n');
  const { exitCode, stderr } = await runBake(['compile'], { cwd: folder });
  assert.equal(exitCode, 0, stderr);
}

/** Asked for by who has the token of `holder`, to be the node `node`. */
function clientRequest(name: string, holder: keyof typeof tokenIds, node: string = holder, spec = {}) {
  return clientCsrOf(
    { subject: sequence(organization, commonName(`system:node:${node}`)) },
    {
      metadata: { name, uid: name },
      spec: {
        username: `system:bootstrap:${tokenIds[holder]}`,
        groups: ['system:bootstrappers', `system:bootstrappers:${holder}`, 'system:authenticated'],
        ...spec,
      },
    },
  );
}

const renewal = clientRequest('csr-renewal', 'node1', 'node1', {
  username: 'system:node:node1',
  groups: ['system:nodes', 'system:authenticated'],
});

offline('with approval: plan client certificates are for who holds the token of the node', () =>
  inTemporaryFolder(async (folder) => {
    await describeByPlan(folder);
    const items = [
      clientRequest('csr-own', 'node1'),
      clientRequest('csr-stolen', 'node2', 'master'),
      clientRequest('csr-unknown', 'master', 'master', { username: 'system:bootstrap:zzzzzz' }),
      renewal,
      request('csr-serving', 'node1', [192, 168, 31, 136]),
    ];
    const judge = (words: string) =>
      runBake(['approve-csrs', '--from-file', '-', ...words.split(' ')], {
        cwd: folder,
        stdin: JSON.stringify({ ...saved, items }),
      });
    const { exitCode, stdout, stderr } = await judge('-o table');
    assert.equal(
      stdout,
      `NAME         REQUESTER                USE      STATE    VERDICT  WHY
csr-own      system:bootstrap:abcdeg  client   pending  approve
csr-stolen   system:bootstrap:abcdeh  client   pending  refuse   token-of-other-node: it asks with the token of node2 to be "system:node:master"
csr-unknown  system:bootstrap:zzzzzz  client   pending  refuse   token-unknown: "system:bootstrap:zzzzzz" asks, and no planned node has this token
csr-renewal  system:node:node1        client   pending
csr-serving  system:node:node1        serving  pending  approve
`,
    );
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ csr, node, use, reason }) => [csr, node, use, reason]),
      [
        ['csr-own', 'node1', 'client', 'as-planned'],
        ['csr-stolen', 'node2', 'client', 'token-of-other-node'],
        ['csr-unknown', 'system:bootstrap:zzzzzz', 'client', 'token-unknown'],
        ['csr-serving', 'node1', 'serving', 'as-planned'],
      ],
    );
    assert.equal(exitCode, 0);
    assert.doesNotMatch(stdout + stderr, /0123456789abcdef/);
    const { stdout: explained } = await judge('--explain csr-stolen');
    assert.match(explained, /^csr-stolen: .*, for a client certificate, pending\nrefuse token-of-other-node: /);
    assert.match((await judge('--explain csr-renewal')).stdout, /pending\nA node renews .*; the cluster decides\.\n$/);

    rmSync(join(folder, 'cluster.tokens.json'));
    const without = await judge('-o table');
    assert.match(
      without.stderr,
      /^error token-store-missing: .*\/cluster\.tokens\.json does not exist, and by `approval: plan`/m,
    );
    assert.deepEqual([without.exitCode, without.stdout], [3, '']);
  }),
);

offline('what a file holds cannot act on a terminal', async () => {
  const username = 'system:node:\u001b[2J\u202enode1';
  const items = [csrOf({}, { metadata: { name: 'csr-\u001b[2J' }, spec: { username } })];
  const { stdout, stderr } = await bake('bake approve-csrs --from-file -', JSON.stringify({ ...saved, items }));
  for (const letter of ['\u001b', '\u202e']) assert.ok(!`${stdout}${stderr}`.includes(letter), stdout + stderr);
  const { node } = JSON.parse(stderr) as { node: string };
  assert.equal(node, username.slice('system:node:'.length));
});

const live = suite('approve-csrs');

type Bake = (words: string, signal?: AbortSignal) => ReturnType<typeof runBake>;

/** In a folder with a description and a kubeconfig for an apiserver in which these requests wait. */
function inCluster(
  items: readonly object[],
  work: (bake: Bake, server: FakeApiServer, folder: string) => Promise<void>,
  faults: Parameters<typeof fakeApiServer>[1] = {},
  describe: (folder: string) => unknown = copyGuide,
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      const server = await fakeApiServer(items as Stored[], faults);
      await describe(folder);
      writeFileSync(join(folder, 'ca.pem'), server.certificate);
      writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', { token: 'a-secret' }));
      try {
        const bake: Bake = async (words, signal) => {
          const ran = await runBake(['approve-csrs', ...words.split(' ')], {
            cwd: folder,
            env: { KUBECONFIG: 'config' },
            ...(signal && { signal }),
          });
          assert.doesNotMatch(ran.stdout + ran.stderr, /a-secret|^\s+at /m);
          return ran;
        };
        await work(bake, server, folder);
      } finally {
        await server.close();
      }
    });
}

const [good, bad, issued] = saved.items;
assert.ok(good && bad && issued);
const goodToo = request('csr-zg6q9', 'node2', [192, 168, 31, 90]);

live(
  'all nodes get their certificates: a table, the decisions, and 0',
  inCluster([good, goodToo, request('csr-w77nj', 'master', [192, 168, 31, 44])], async (bake) => {
    const { exitCode, stdout, stderr } = await bake('--timeout 60s');
    assert.equal(
      stdout,
      `NODE    STATE   CSR        WHY
master  issued  csr-w77nj
node1   issued  csr-prd8t
node2   issued  csr-zg6q9
`,
    );
    const decided = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      decided.map(({ csr, verdict, dryRun }) => [csr, verdict, dryRun]),
      [
        ['csr-prd8t', 'approve', undefined],
        ['csr-zg6q9', 'approve', undefined],
        ['csr-w77nj', 'approve', undefined],
      ],
    );
    assert.equal(exitCode, 0);
  }),
);

live(
  'some get none: what is planned is approved, and the others are named',
  inCluster([good, bad], async (bake, { objects }) => {
    const { exitCode, stdout, stderr } = await bake('--timeout 0s -o json');
    const {
      good: all,
      error,
      nodes,
    } = JSON.parse(stdout) as { good: boolean; error: { code: string }; nodes: Record<string, string>[] };
    assert.deepEqual([all, error.code], [false, 'nodes-without-certificate']);
    assert.deepEqual(
      nodes.map(({ node, state, csr }) => [node, state, csr]),
      [
        ['master', 'no-request', ''],
        ['node1', 'approved', 'csr-prd8t'],
        ['node2', 'pending', 'csr-vn6c2'],
      ],
    );
    assert.match(
      stderr,
      /^error nodes-without-certificate: 2 of 3 nodes .*: node1, node2, and no request of master is there; /m,
    );
    assert.equal(exitCode, 3);
    const [condition] = objects.get('csr-prd8t')?.status.conditions ?? [];
    assert.deepEqual(condition, {
      type: 'Approved',
      status: 'True',
      reason: 'BakePlan',
      message: 'bake approve-csrs: exactly what the description plans for this node',
      lastUpdateTime: '2020-08-02T14:12:04Z',
    });
    assert.equal(objects.get('csr-vn6c2')?.status.conditions, undefined);
  }),
);

live(
  'requests of an hour ago are gone: that is not taken for nodes without a certificate',
  inCluster([{ ...good, status: { conditions: [{ type: 'Approved' }] } }], async (bake, server) => {
    server.sign('csr-prd8t');
    const { exitCode, stdout, stderr } = await bake('--timeout 0s');
    assert.match(stdout, /^master +no-request +it has not asked, or has its certificate for over an hour/m);
    assert.match(stdout, /^node1 +issued /m);
    assert.match(stderr, /^error nodes-without-request: no request of master, node2 in the cluster: /m);
    assert.equal(exitCode, 3);
  }),
);

live(
  'an approval that never gets through is told with its node, and the others go through',
  inCluster(
    [good, goodToo],
    async (bake) => {
      const { exitCode, stdout, stderr } = await bake('--timeout 3s');
      assert.match(
        stdout,
        /^node1 +pending +csr-prd8t +its approval has not got through: it answers HTTP 500\nnode2 +issued +csr-zg6q9$/m,
      );
      assert.match(stderr, /: csr-prd8t is not decided: it answers HTTP 500; trying again$/m);
      assert.match(stderr, /^error nodes-without-certificate: /m);
      assert.equal(exitCode, 3);
    },
    { 'approve csr-prd8t': Array(100).fill({ status: 500 }) },
  ),
);

live(
  'where the audit log cannot be written, what is decided by then is told on stderr',
  inCluster([good, goodToo], async (bake, { objects }) => {
    const { exitCode, stderr } = await bake('--timeout 0s --audit-log /dev/full');
    const approved = [...objects.values()].filter(({ status }) => status.conditions !== undefined);
    assert.equal(approved.length, 2);
    for (const { metadata } of approved) assert.match(stderr, new RegExp(`^{.*"csr":"${metadata.name}"`, 'm'));
    assert.match(stderr, /^error disk-full: /m);
    assert.equal(exitCode, 3);
  }),
);

live(
  'a login that may list and not approve is told at once',
  inCluster(
    [good],
    async (bake, server) => {
      server.mayApprove = false;
      const { exitCode, stdout, stderr } = await bake('--timeout 60s');
      assert.match(stderr, /^error cluster-refuses: .*\(HTTP 403\): on purpose; /m);
      assert.deepEqual([exitCode, stdout], [3, '']);
    },
    { approve: [{ status: 403 }] },
  ),
);

live(
  'where the login may approve, one request that is refused for its own sake does not end it',
  inCluster(
    [good],
    async (bake, server) => {
      server.onRequest = () => {
        if (server.requests.at(-1)?.path.includes('watch=')) server.store('csr-zg6q9', goodToo as unknown as Stored);
        if (server.objects.size > 1) server.onRequest = () => undefined;
      };
      const { stdout, stderr } = await bake('--timeout 2s');
      assert.match(stdout, /^node1 +pending +csr-prd8t .*\(HTTP 403\): on purpose/m);
      assert.match(stdout, /^node2 +issued +csr-zg6q9$/m);
      assert.match(stderr, /: csr-prd8t is not decided: .*\(HTTP 403\)/);
      assert.match(stderr, /^error nodes-without-certificate: /m);
    },
    { 'approve csr-prd8t': Array(100).fill({ status: 403 }) },
  ),
);

live(
  '--deny denies what is refused, and says so',
  inCluster([good, bad], async (bake, { objects }) => {
    const { exitCode, stdout, stderr } = await bake('--timeout 0s --deny');
    assert.match(stdout, /^node1 +approved +csr-prd8t/m);
    assert.match(stdout, /^node2 +denied +csr-vn6c2 +name-not-planned: it names/m);
    assert.match(
      stderr,
      /"csr":"csr-vn6c2","node":"node2","use":"serving","verdict":"deny","reason":"name-not-planned"/,
    );
    assert.equal(exitCode, 3);
    const [condition] = objects.get('csr-vn6c2')?.status.conditions ?? [];
    assert.equal(condition?.type, 'Denied');
  }),
);

live(
  '--dry-run and --explain change nothing',
  inCluster([good, bad], async (bake, { requests }) => {
    const { exitCode, stdout } = await bake('--dry-run');
    assert.match(stdout, /^csr-prd8t +system:node:node1 +serving +pending +approve$/m);
    const explained = await bake('--explain csr-vn6c2');
    assert.match(explained.stdout, /^refuse name-not-planned: /m);
    assert.deepEqual([exitCode, explained.exitCode], [0, 0]);
    assert.ok(requests.every(({ method }) => method === 'GET'));
  }),
);

live(
  '--watch goes on until a signal comes, and says what has come',
  inCluster([good, bad], async (bake, server, folder) => {
    renameSync(join(folder, 'config'), join(folder, 'other-config'));
    for (const [form, lines] of [
      ['table', ['node1  issued  csr-prd8t', 'node2  issued  csr-zg6q9']],
      [
        'json',
        [
          {
            time,
            node: 'node1',
            use: 'serving',
            state: 'issued',
            csr: 'csr-prd8t',
            asked: '2020-08-02T14:50:00Z',
            why: '',
          },
        ],
      ],
    ] as const) {
      const end = new AbortController();
      const ran = bake(`--watch --kubeconfig other-config -o ${form} --audit-log ${form}.jsonl`, end.signal);
      if (form === 'table') {
        await setTimeout(500);
        server.store('csr-zg6q9', goodToo as unknown as Stored);
      }
      await setTimeout(500);
      end.abort('SIGTERM');
      const { exitCode, stdout, stderr } = await ran;
      const shown = stdout.trimEnd().split('\n');
      assert.deepEqual(form === 'json' ? [JSON.parse(shown[0] ?? '')] : shown, lines);
      assert.equal(stderr, `watching ${server.url} for 3 planned nodes\n`);
      assert.equal(exitCode, 0);
    }
    const decided = readFileSync(join(folder, 'table.jsonl'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      decided.map((line) => (JSON.parse(line) as { csr: string }).csr),
      ['csr-vn6c2', 'csr-prd8t', 'csr-zg6q9'],
    );
  }),
);

live(
  '--listen tells Prometheus and probes how it is',
  inCluster([good, bad], async (bake, server) => {
    const port = await freePort();
    const get = async (path: string): Promise<[number, string]> => {
      const { statusCode, body } = await httpRequest(`http://127.0.0.1:${port}${path}`);
      return [statusCode, await body.text()];
    };
    const words = `--leader-elect --listen 127.0.0.1:${port}`;
    const end = new AbortController();
    const ran = bake(words, end.signal);
    try {
      await setTimeout(1000);
      assert.deepEqual(await get('/healthz'), [200, 'ok\n']);
      assert.deepEqual(await get('/readyz'), [200, 'ok\n']);
      assert.equal((await get('/'))[0], 404);
      assert.equal(
        (await get('/metrics'))[1],
        `# HELP bake_csr_decisions_total Requests decided, by what the certificate is for, verdict and reason.
# TYPE bake_csr_decisions_total counter
bake_csr_decisions_total{use="serving",verdict="refuse",reason="name-not-planned"} 1
bake_csr_decisions_total{use="serving",verdict="approve",reason="as-planned"} 1
# HELP bake_certificates_total Certificates of planned nodes, by what they are for and what came of them.
# TYPE bake_certificates_total counter
bake_certificates_total{use="serving",state="issued"} 1
# HELP bake_apiserver_troubles_total Failed attempts with the apiserver.
# TYPE bake_apiserver_troubles_total counter
bake_apiserver_troubles_total 0
# HELP bake_leader Whether this process is the one that approves.
# TYPE bake_leader gauge
bake_leader 1
`,
      );
      const second = await bake(words);
      assert.match(second.stderr, /^error address-unusable: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\); /m);
      assert.equal(second.exitCode, 3);

      await server.close();
      // Also after the first pause.
      for (const pause of [500, 2000]) {
        await setTimeout(pause);
        assert.equal((await get('/readyz'))[0], 503);
      }
      assert.equal((await get('/healthz'))[0], 200);
      assert.match((await get('/metrics'))[1], /^bake_apiserver_troubles_total [1-9]$/m);
    } finally {
      end.abort('SIGTERM');
    }
    assert.equal((await ran).exitCode, 0);
    await assert.rejects(get('/healthz'));
  }),
);

live(
  'a leader is ready again when the Lease could be renewed',
  inCluster(
    [],
    async (bake) => {
      const port = await freePort();
      const end = new AbortController();
      const ran = bake(`--leader-elect --listen 127.0.0.1:${port}`, end.signal);
      const until = async (status: number): Promise<void> => {
        for (const start = performance.now(); ;) {
          const { statusCode, body } = await httpRequest(`http://127.0.0.1:${port}/readyz`);
          await body.dump();
          if (statusCode === status) return;
          assert.ok(performance.now() - start < 10_000, `it is not ${status}`);
          await setTimeout(50);
        }
      };
      try {
        await setTimeout(500);
        for (const status of [200, 503, 200]) await until(status);
      } finally {
        end.abort('SIGTERM');
        await ran;
      }
    },
    // Read, made, and then not read once.
    { lease: [undefined, undefined, { status: 500 }] },
  ),
);

/** What compile makes for the ConfigMap, with the names and addresses of these nodes. */
function inventoryOf(certificateAuthority: string, nodes: Readonly<Record<string, string>>): string {
  const planned = Object.entries(nodes).map(([name, address]) => ({ name, address }));
  return JSON.stringify({ certificateAuthority, nodes: planned });
}

live(
  '--inventory stands for a description, and is gone by anew when it changes',
  inCluster([good, bad], async (bake, server, folder) => {
    const write = (text: string | Buffer): void => writeFileSync(join(folder, 'inventory.json'), text);
    write(inventoryOf(server.certificate, { node1: '192.168.31.136' }));
    const byInventory: Bake = (words, signal) => bake(`--inventory inventory.json ${words}`, signal);
    const issued = async (name: string): Promise<void> => {
      for (const start = performance.now(); server.objects.get(name)?.status.certificate === undefined;) {
        assert.ok(performance.now() - start < 10_000, `${name} is not issued`);
        await setTimeout(50);
      }
    };
    assert.match((await byInventory('--dry-run')).stdout, /^csr-vn6c2 .* node-not-planned: /m);
    const end = new AbortController();
    const ran = byInventory('--watch', end.signal);
    await issued('csr-prd8t');
    write('{"nodes": []}');
    await setTimeout(2500);
    // The address that node2 asks for.
    write(gzipSync(inventoryOf(server.certificate, { node1: '192.168.31.136', node2: '192.168.31.44' })));
    await issued('csr-vn6c2');
    end.abort('SIGTERM');
    const { exitCode, stderr } = await ran;
    assert.equal(exitCode, 0);
    assert.match(stderr, /inventory\.json is no inventory any more; the last one stays\n[^]*for 2 planned nodes\n/);

    write('{"nodes": []}');
    const wrong = await byInventory('--dry-run -o json');
    assert.match(wrong.stderr, /^error inventory-unreadable: inventory\.json is no inventory; /);
    assert.equal(wrong.exitCode, 3);
  }),
);

live(
  'who becomes the leader goes by the inventory of that moment',
  inCluster([good, bad], async (bake, server, folder) => {
    const write = (nodes: Readonly<Record<string, string>>): void =>
      writeFileSync(join(folder, 'inventory.json'), inventoryOf(server.certificate, nodes));
    // The address that node2 asks for.
    write({ node1: '192.168.31.136', node2: '192.168.31.44' });
    server.holdLease('somebody-else', 1);
    const end = new AbortController();
    const ran = bake('--leader-elect --inventory inventory.json', end.signal);
    try {
      await setTimeout(500);
      assert.equal(server.holder, 'somebody-else');
      write({ node1: '192.168.31.136' });
      for (const start = performance.now(); server.objects.get('csr-prd8t')?.status.certificate === undefined;) {
        assert.ok(performance.now() - start < 10_000, 'nothing is issued');
        await setTimeout(50);
      }
    } finally {
      end.abort('SIGTERM');
      await ran;
    }
    assert.match((await ran).stderr, /for 1 planned nodes\n/);
    assert.equal(server.objects.get('csr-vn6c2')?.status.conditions, undefined);
  }),
);

live(
  'with approval: plan both certificates of a node are approved, and what keeps a client certificate is told',
  inCluster(
    [
      clientRequest('csr-client', 'node1'),
      clientRequest('csr-stolen', 'node2', 'master'),
      renewal,
      good,
      clientRequest('csr-foreign', 'master', 'master', { signerName: 'example.org/signer' }),
    ],
    async (bake, server) => {
      const { exitCode, stdout, stderr } = await bake('--timeout 2s');
      assert.equal(
        stdout,
        `NODE    STATE       CSR         WHY
master  no-request              it has not asked, or has its certificate for over an hour, after which requests are removed; on the node, bake-check tells
node1   issued      csr-prd8t
node2   pending     csr-stolen  client certificate: token-of-other-node: it asks with the token of node2 to be "system:node:master"
`,
      );
      assert.match(
        stderr,
        /^error nodes-without-certificate: 1 of 3 nodes .*: node2, and no request of master is there; /m,
      );
      assert.equal(exitCode, 3);
      const decided = stderr.split('\n').filter((line) => line.startsWith('{'));
      assert.deepEqual(
        decided.map((line) => {
          const { csr, node, use, verdict } = JSON.parse(line) as Record<string, string>;
          return [csr, node, use, verdict].join(' ');
        }),
        ['csr-stolen node2 client refuse', 'csr-client node1 client approve', 'csr-prd8t node1 serving approve'],
      );
      for (const name of ['csr-renewal', 'csr-stolen', 'csr-foreign']) {
        assert.equal(server.objects.get(name)?.status.conditions, undefined, name);
      }
      // Both in one list and one watch.
      const asked = server.requests
        .map(({ path }) => path)
        .filter((path) => path.includes('certificatesigningrequests'));
      for (const path of asked) assert.doesNotMatch(path, /fieldSelector/);

      // A certificate that nobody signs.
      server.signs = false;
      server.store('csr-late', clientRequest('csr-late', 'master') as unknown as Stored);
      const late = await bake('--timeout 0s');
      assert.match(late.stdout, /^master +approved +csr-late +client certificate: the signer has not come by: /m);
      const { stdout: json } = await bake('--timeout 0s -o json');
      const { nodes } = JSON.parse(json) as { nodes: Record<string, string>[] };
      assert.deepEqual(
        nodes.map(({ node, use, state }) => [node, use, state]),
        [
          ['master', 'client', 'approved'],
          ['node1', 'serving', 'issued'],
          ['node2', 'client', 'pending'],
        ],
      );
      server.sign('csr-late');
      assert.match((await bake('--timeout 0s')).stdout, /^master +no-request +it has not asked, or /m);
    },
    {},
    describeByPlan,
  ),
);

live(
  'without it the apiserver is asked for serving certificates only',
  inCluster([good], async (bake, { requests }) => {
    await bake('--timeout 1s');
    const lists = requests.filter(({ path }) => path.includes('?'));
    assert.ok(lists.length >= 2);
    for (const { path } of lists)
      assert.match(path, /fieldSelector=spec\.signerName%3Dkubernetes\.io%2Fkubelet-serving/);
  }),
);

live(
  'an apiserver that does not answer is told',
  inCluster([good], async (bake, server) => {
    await server.close();
    for (const words of ['--timeout 0s', '--dry-run']) {
      const { exitCode, stdout, stderr } = await bake(words);
      assert.match(stderr, /^error cluster-unreachable: https:\/\/127\.0\.0\.1:\d+: nothing listens there/m);
      assert.deepEqual([exitCode, stdout], [3, '']);
    }
  }),
);

live(
  'a command line that cannot be meant is refused',
  inCluster([good], async (bake, { requests }) => {
    for (const [words, says] of [
      ['--timeout 5', /Write it as 90s, 5m or 1h/],
      ['-o yaml', /Allowed choices are table, json/],
      ['--from-file csrs.json --dry-run', /cannot be used with option/],
      ['--watch --dry-run', /cannot be used with option/],
      ['--leader-elect --dry-run', /cannot be used with option/],
      ['cluster.yaml --inventory inventory.json', /'--inventory <file>' stands for a description/],
      ['--listen 9441', /Write it as :9441 or 127\.0\.0\.1:9441/],
      ['--listen :70000', /Write it as :9441/],
    ] as const) {
      const { exitCode, stderr } = await bake(words);
      assert.match(stderr, says);
      assert.equal(exitCode, 2);
    }
    assert.equal(requests.length, 0);
  }),
);

offline.run();
live.run();
