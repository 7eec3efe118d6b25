import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { copyGuide } from '../support/copy-guide.ts';
import { fakeApiServer, type FakeApiServer, type Fault, type Stored } from '../support/fake-apiserver.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { csrOf, servingParts } from '../support/make-csr.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What becomes of the bootstrap tokens of nodes that have joined, on an apiserver's bad days. Its good days are among the
// end-to-end tests.
const spent = suite('tokens of nodes that have joined');

/** The guide's nodes have these tokens, by the fixture's randomness. */
const ids = { master: 'abcdef', node1: 'abcdeg', node2: 'abcdeh' } as const;

/** Asked for at 14:50. */
function request(node: keyof typeof ids, address: readonly number[]): object {
  const user = `system:node:${node}`;
  return csrOf(servingParts(node, address), { metadata: { name: `csr-${node}`, uid: node }, spec: { username: user } });
}

const requests = [
  request('master', [192, 168, 31, 44]),
  request('node1', [192, 168, 31, 136]),
  request('node2', [192, 168, 31, 90]),
];

interface Site {
  readonly server: FakeApiServer;
  readonly folder: string;
  readonly bake: (command: string) => ReturnType<typeof runBake>;
  /** NODE -> the id of its token in the file, or `joined`. */
  readonly kept: () => Record<string, string>;
}

/** Compiled at 14:12 and applied at 14:20. */
function atSite(
  work: (site: Site) => Promise<void>,
  faults: Readonly<Record<string, readonly (Fault | undefined)[]>> = {},
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      const server = await fakeApiServer(requests as Stored[], faults);
      copyGuide(folder);
      writeFileSync(join(folder, 'ca.pem'), server.certificate);
      writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', { token: 'a-secret' }));
      const bake: Site['bake'] = async (command) => {
        const ran = await runBake(command.split(' '), { cwd: folder, env: { KUBECONFIG: 'config' } });
        assert.doesNotMatch(ran.stdout + ran.stderr, /a-secret|\b0123456789abcdef\b|^\s+at /m);
        return ran;
      };
      const kept = (): Record<string, string> => {
        const { tokens, joined } = JSON.parse(readFileSync(join(folder, 'cluster.tokens.json'), 'utf8')) as {
          tokens: { node: string; id: string }[];
          joined: string[];
        };
        return Object.fromEntries([
          ...tokens.map(({ node, id }) => [node, id]),
          ...joined.map((node) => [node, 'joined']),
        ]) as Record<string, string>;
      };
      try {
        assert.equal((await bake('compile cluster.yaml')).exitCode, 0);
        for (const id of Object.values(ids)) {
          server.secrets.set(id, { uid: `uid-${id}`, creationTimestamp: '2020-08-02T14:20:00Z' });
        }
        await work({ server, folder, bake, kept });
      } finally {
        await server.close();
      }
    });
}

const all = { master: 'joined', node1: 'joined', node2: 'joined' };

spent(
  'they leave the cluster, the file and the output; rotate and compile make a node again',
  atSite(async ({ server, folder, bake, kept }) => {
    server.secrets.set('stranger', { uid: 'other', creationTimestamp: '2020-08-02T14:20:00Z' });
    const { exitCode, stderr } = await bake('approve-csrs cluster.yaml');
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual([...server.secrets.keys()], ['stranger']);
    assert.deepEqual(kept(), all);
    assert.equal(statSync(join(folder, 'cluster.tokens.json')).mode & 0o777, 0o600);
    const deleted = stderr.split('\n').filter((line) => line.includes('"verdict":"delete"'));
    assert.deepEqual(
      deleted.map((line) => JSON.parse(line) as unknown),
      Object.entries(ids).map(([node, token]) => {
        return { time: '2020-08-02T14:12:04.000Z', node, token, verdict: 'delete', reason: 'node-joined' };
      }),
    );
    assert.match(
      stderr,
      /^3 bootstrap tokens are gone from the cluster and cluster\.tokens\.json, since their nodes have joined; compile before you apply manifests again\n/m,
    );

    // An hour later their requests are gone, and nobody waits for them.
    const issued = [...server.objects];
    for (const [name] of issued) server.store(name, undefined);
    for (const words of ['', ' --keep-tokens']) {
      const later = await bake(`approve-csrs cluster.yaml${words}`);
      assert.equal(later.exitCode, 0, later.stderr);
      assert.match(later.stdout, /^node1 +joined +by an earlier run; there is no request to look at now$/m);
    }
    for (const [name, object] of issued) server.store(name, object);

    const none = await bake('compile cluster.yaml');
    assert.match(
      none.stderr,
      /^wrote out: \d+ files for 0 nodes; left out: 3 that have joined \(`bake token rotate NODE` to make one again\)\n$/,
    );
    for (const path of ['nodes', 'manifests/tokens']) assert.ok(!existsSync(join(folder, 'out', path)));
    const listed = await bake('token list');
    assert.deepEqual([listed.stdout, listed.stderr], ['', '3 nodes have joined, without a token\n']);
    const rows = JSON.parse((await bake('token list --json')).stdout) as unknown;
    assert.deepEqual(
      rows,
      Object.keys(ids).map((node) => ({ node, joined: true })),
    );
    assert.match((await bake('token rotate')).stderr, /^all nodes have joined, and need no token; /);

    assert.match((await bake('token rotate node1')).stderr, /^replaced 1 of 1 tokens; /);
    const { stdout } = await bake('compile cluster.yaml --json');
    const { nodes, joined, earliestTokenExpiry } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual([nodes, joined, earliestTokenExpiry], [3, 2, '2020-08-03T14:12:04Z']);
    assert.ok(existsSync(join(folder, 'out/nodes/node1/user-data')));
    assert.deepEqual(kept(), { ...all, node1: kept()['node1'] ?? '' });
    // It is not in the cluster yet, and its node has not asked since: there it stays.
    const again = await bake('approve-csrs cluster.yaml');
    assert.equal(again.exitCode, 0);
    assert.doesNotMatch(again.stderr, /bootstrap token/);
    assert.notEqual(kept()['node1'], 'joined');
  }),
);

spent(
  'who has joined one cluster has not joined another of the same description, which has another CA',
  atSite(async ({ server, folder, bake, kept }) => {
    assert.equal((await bake('approve-csrs cluster.yaml')).exitCode, 0);
    assert.deepEqual(kept(), all);
    assert.match((await bake('token list')).stderr, /^3 nodes have joined, without a token$/m);
    for (const name of [...server.objects.keys()]) server.store(name, undefined);
    writeFileSync(join(folder, 'server.pem'), server.certificate);
    writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'server.pem', { token: 'a-secret' }));
    cpSync(join(import.meta.dirname, '../../examples/guide/ca.pem'), join(folder, 'ca.pem'));
    assert.match((await bake('token list')).stderr, /^no tokens yet; /);
    assert.equal((await bake('token list --json')).stdout, '[]\n');

    for (const words of ['', ' --keep-tokens']) {
      const { exitCode, stdout, stderr } = await bake(`approve-csrs cluster.yaml --timeout 1s${words}`);
      assert.match(stderr, /^error nodes-without-request: /m);
      assert.match(stdout, /^node1 +no-request /m);
      assert.equal(exitCode, 3);
    }
    assert.match((await bake('compile cluster.yaml --dry-run')).stderr, / files for 3 nodes; (?!.*left out)/);
    assert.match((await bake('token rotate')).stderr, /^replaced 3 of 3 tokens; /);
    assert.match((await bake('compile cluster.yaml')).stderr, / files for 3 nodes; (?!.*left out)/);
    assert.deepEqual(Object.keys(kept()), Object.keys(ids));
  }),
);

spent(
  'where it cannot be read who has joined before, it is told, and they are waited for',
  atSite(async ({ server, folder, bake }) => {
    chmodSync(join(folder, 'cluster.tokens.json'), 0o644);
    server.objects.delete('csr-node2');
    const { exitCode, stderr } = await bake('approve-csrs cluster.yaml --keep-tokens --timeout 1s');
    assert.match(stderr, /^note: which nodes have joined before is not known: .*chmod 600/m);
    assert.match(stderr, /^error nodes-without-request: no request of node2 /m);
    assert.equal(exitCode, 3);
  }),
);

spent(
  'one that is younger than its node’s request stays: it is for another machine',
  atSite(async ({ server, bake, kept }) => {
    for (const [id, creationTimestamp] of [
      [ids.node1, '2020-08-02T14:50:00Z'],
      [ids.node2, '2020-08-02T14:49:59Z'],
    ] as const) {
      server.secrets.set(id, { uid: 'new', creationTimestamp });
    }
    const { exitCode, stderr } = await bake('approve-csrs cluster.yaml');
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual([...server.secrets.keys()], [ids.node1]);
    assert.deepEqual(kept(), { ...all, node1: ids.node1 });
  }),
);

spent(
  'a node without its certificate keeps its token, and the others lose theirs',
  atSite(async ({ server, bake, kept }) => {
    server.objects.delete('csr-node2');
    const { exitCode, stderr } = await bake('approve-csrs cluster.yaml --timeout 2s');
    assert.equal(exitCode, 3, stderr);
    assert.deepEqual([...server.secrets.keys()], [ids.node2]);
    assert.deepEqual(kept(), { ...all, node2: ids.node2 });
  }),
);

spent(
  '--keep-tokens, --dry-run and --inventory ask for no token',
  atSite(async ({ server, folder, bake, kept }) => {
    const nodes = [{ name: 'node1', address: '192.168.31.136' }];
    writeFileSync(join(folder, 'inventory.json'), JSON.stringify({ certificateAuthority: server.certificate, nodes }));
    for (const words of ['cluster.yaml --dry-run', '--inventory inventory.json', 'cluster.yaml --keep-tokens']) {
      const { exitCode, stderr } = await bake(`approve-csrs ${words}`);
      assert.equal(exitCode, 0, stderr);
    }
    assert.ok(server.requests.every(({ path }) => !path.includes('secrets')));
    assert.deepEqual(kept(), ids);
    for (const words of ['--dry-run', '--inventory inventory.json', '--from-file -', '--explain csr-node1']) {
      assert.equal((await bake(`approve-csrs --keep-tokens ${words}`)).exitCode, 2);
    }
  }),
);

const wholePage: readonly Fault[] = Array.from({ length: 20 }, () => ({ status: 403 }));
for (const kind of ['tokens', 'delete token']) {
  spent(
    `a login that may not ${kind === 'tokens' ? 'list' : 'delete'} them is told, and is no failure`,
    atSite(
      async ({ server, bake, kept }) => {
        const { exitCode, stdout, stderr } = await bake('approve-csrs cluster.yaml');
        assert.equal(exitCode, 0, stderr);
        assert.match(stdout, /^node2 +issued/m);
        assert.match(
          stderr,
          /^note: bootstrap tokens of nodes that have joined are not deleted: .*\(HTTP 403\): on purpose; .*; --keep-tokens leaves them alone\n/m,
        );
        assert.equal(stderr.match(/^note: /gm)?.length, 1);
        assert.equal(server.secrets.size, 3);
        assert.deepEqual(kept(), ids);
      },
      { [kind]: wholePage },
    ),
  );
}

spent(
  'trouble that passes is waited for, and an answer that was lost is as good as one that came',
  atSite(
    async ({ server, bake, kept }) => {
      const { exitCode, stderr } = await bake('approve-csrs cluster.yaml');
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr.match(/"verdict":"delete"/g)?.length, 3);
      assert.equal(server.secrets.size, 0);
      assert.deepEqual(kept(), all);
    },
    { tokens: [{ status: 500 }], 'delete token': ['late reset', { status: 429 }] },
  ),
);

spent(
  'one that somebody has replaced since it was listed stays',
  atSite(
    async ({ server, bake, kept }) => {
      const { exitCode, stderr } = await bake('approve-csrs cluster.yaml');
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr.match(/"verdict":"delete"/g)?.length, 2);
      assert.equal(server.secrets.size, 1);
      assert.equal(Object.values(kept()).filter((state) => state === 'joined').length, 2);
    },
    { 'delete token': ['changed'] },
  ),
);

spent(
  'where the file cannot be changed after that, it is told; a token that is not in the cluster stays in it',
  atSite(async ({ server, folder, bake, kept }) => {
    const path = join(folder, 'cluster.tokens.json');
    server.onRequest = () => {
      if (server.requests.at(-1)?.method === 'DELETE') chmodSync(path, 0o644);
    };
    const { exitCode, stderr } = await bake('approve-csrs cluster.yaml');
    assert.equal(exitCode, 0, stderr);
    assert.match(
      stderr,
      /^3 bootstrap tokens are gone from the cluster, but not from cluster\.tokens\.json, since .*; others may read .*: chmod 600 it; .*; they are in the cluster again after the next compile .* bootstrap-token-ID/m,
    );
    chmodSync(path, 0o600);
    assert.equal((await bake('approve-csrs cluster.yaml')).exitCode, 0);
    assert.deepEqual([server.secrets.size, kept()], [0, ids]);
  }),
);

spent(
  'where the audit log cannot be written, the deletions are told on stderr, and the file knows of them',
  atSite(async ({ server, bake, kept }) => {
    assert.equal((await bake('approve-csrs cluster.yaml --keep-tokens')).exitCode, 0);
    const { exitCode, stdout, stderr } = await bake('approve-csrs cluster.yaml --audit-log /dev/full -o json');
    assert.equal((JSON.parse(stdout) as { good: boolean }).good, false, 'one document');
    assert.equal(stderr.match(/"verdict":"delete"/g)?.length, 3);
    assert.match(stderr, /^error disk-full: /m);
    assert.deepEqual([exitCode, server.secrets.size, kept()], [3, 0, all]);
  }),
);

spent(
  'token list --cluster compares both sides',
  atSite(async ({ server, bake }) => {
    server.secrets.delete(ids.node1);
    server.secrets.set('zyxwvu', { uid: 'other', creationTimestamp: '2020-08-02T14:20:00Z' });
    const { exitCode, stdout, stderr } = await bake('token list --kubeconfig config');
    assert.equal(
      stdout,
      `ID      NODE    EXPIRES               KNOWN TO
abcdef  master  2020-08-03T14:12:04Z  both
abcdeg  node1   2020-08-03T14:12:04Z  only the file
abcdeh  node2   2020-08-03T14:12:04Z  both
zyxwvu                                only the cluster
`,
    );
    assert.match(stderr, /^only the file: not applied .*\nonly the cluster: of an earlier compile, .*\n$/);
    assert.equal(exitCode, 0);
    const json = JSON.parse((await bake('token list --cluster --json')).stdout) as Record<string, string>[];
    assert.deepEqual(
      json.map(({ id, node, where }) => [id, node, where]),
      [
        [ids.master, 'master', 'both'],
        [ids.node1, 'node1', 'file'],
        [ids.node2, 'node2', 'both'],
        ['zyxwvu', undefined, 'cluster'],
      ],
    );
    await server.close();
    const unreachable = await bake('token list --cluster');
    assert.match(unreachable.stderr, /^error cluster-unreachable: .*nothing listens there/);
    assert.deepEqual([unreachable.exitCode, unreachable.stdout], [3, '']);
  }),
);

spent(
  'of more than a page of tokens in the cluster all are looked at',
  atSite(async ({ server, bake, kept }) => {
    for (let index = 0; index < 1200; index++) {
      server.secrets.set(`x${index}`, { uid: 'other', creationTimestamp: '2020-08-02T14:20:00Z' });
    }
    // The last of all, so that it is on the third page.
    const { master } = ids;
    const secret = server.secrets.get(master);
    assert.ok(secret);
    server.secrets.delete(master);
    server.secrets.set(master, secret);
    assert.equal((await bake('approve-csrs cluster.yaml')).exitCode, 0);
    assert.deepEqual([server.secrets.size, kept()], [1200, all]);
    assert.equal(server.requests.filter(({ method, path }) => method === 'GET' && path.includes('secrets')).length, 3);
  }),
);

spent.run();
