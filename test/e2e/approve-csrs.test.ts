import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { parse, parseAllDocuments } from 'yaml';
import { copyGuide } from '../support/copy-guide.ts';
import { startApiServer, type ApiServer, type Login, type Release } from '../support/apiserver.ts';
import { sequence } from '../support/der.ts';
import { give, writePlugin } from '../support/exec-plugin.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import {
  attributes,
  commonName,
  derOf,
  dns,
  extensionRequest,
  goodParts,
  ip,
  namesExtension,
  organization,
  pemOf,
  type CsrParts,
} from '../support/make-csr.ts';
import { runBake } from '../support/run-bake.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';
import { eventually } from '../support/virtual-machine.ts';

// bake approve-csrs against real apiservers, with a real kube-controller-manager that signs: Kubernetes 1.18 has v1beta1
// only, and the newest v1 only.
const debian = await tryPart('debian-12');

const oldest = await tryPart('control-plane-1.18.6');
const releases = [
  { release: '1.18.6', part: oldest, version: 'v1beta1' },
  { release: '1.37.2', part: await tryPart('control-plane-1.37.2'), version: 'v1' },
] as const;

/** The guide's. */
const addresses: Readonly<Record<string, readonly number[]>> = {
  master: [192, 168, 31, 44],
  node1: [192, 168, 31, 136],
  node2: [192, 168, 31, 90],
};

interface Csr {
  readonly metadata: { readonly name: string };
  readonly status: { readonly certificate?: string; readonly conditions?: readonly Record<string, string>[] };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly binaryData?: Readonly<Record<string, string>>;
}

/** Who has the client certificate of a node. */
const asNode = (node: string): Login => ({
  user: `system:node:${node}`,
  groups: ['system:nodes', 'system:authenticated'],
});

const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/bake-approver';

/** What a kubeconfig says of a cluster. */
type Cluster = { readonly server?: string } & Readonly<Record<string, string>>;

/** A bake in a process of its own. */
interface Replica {
  /** What it has printed so far. */
  readonly told: () => string;
  /** @returns its exit code */
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | undefined>;
}

async function until(isSo: () => boolean, otherwise: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, otherwise);
    await setTimeout(100);
  }
}

/** A cluster without nodes, and the folder of somebody who has described it. */
class World {
  readonly #api: ApiServer;
  readonly #version: string;
  readonly folder: string;

  private constructor(api: ApiServer, folder: string, version: string) {
    this.#api = api;
    this.#version = version;
    this.folder = folder;
  }

  static async start(controlPlane: string, release: Release, version: string): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
    copyGuide(folder);
    const api = await startApiServer({ controlPlane, debian: debian.folder }, join(folder, 'cluster'), release);
    cpSync(join(api.identities, 'ca.pem'), join(folder, 'ca.pem'));
    return new World(api, folder, version);
  }

  async end(): Promise<void> {
    await this.#api.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  bake(words: string, kubeconfig = this.#api.kubeconfig, { signal } = new AbortController()) {
    const argv = ['approve-csrs', ...words.split(' ').filter((word) => word !== '')];
    return runBake(argv, { cwd: this.folder, env: { KUBECONFIG: kubeconfig }, now: new Date(), signal });
  }

  /** Adds a line to the description, and compiles it. */
  async compileWith(line: string): Promise<void> {
    appendFileSync(join(this.folder, 'cluster.yaml'), `${line}\n`);
    await this.run('compile', 'cluster.yaml');
  }

  /** Applies a file of manifests/, and lays an inventory out as the Pod would have it. */
  async apply(name: string): Promise<void> {
    const places: Readonly<Record<string, string>> = {
      Secret: '/api/v1/namespaces/kube-system/secrets',
      Lease: '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
      ServiceAccount: '/api/v1/namespaces/kube-system/serviceaccounts',
      ConfigMap: '/api/v1/namespaces/kube-system/configmaps',
      ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
      Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles',
      RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings',
      Deployment: '/apis/apps/v1/namespaces/kube-system/deployments',
    };
    const text = readFileSync(join(this.folder, `out/manifests/${name}.yaml`), 'utf8');
    for (const document of parseAllDocuments(text)) {
      const object = document.toJS() as Manifest;
      const place = places[object.kind] ?? object.kind;
      // Also a field that this release does not know is an error (since 1.25).
      const strict = '?fieldValidation=Strict';
      await this.#api.call('POST', `${place}${strict}`, object).catch(async (error: unknown) => {
        if (!String(error).includes('HTTP 409')) throw error;
        const path = `${place}/${object.metadata.name}`;
        const { resourceVersion } = ((await this.#api.call('GET', path)) as Manifest).metadata;
        await this.#api.call('PUT', `${path}${strict}`, {
          ...object,
          metadata: { ...object.metadata, resourceVersion },
        });
      });
      const inventory = object.binaryData?.['inventory.json.gz'];
      if (inventory !== undefined)
        writeFileSync(join(this.folder, 'inventory.json.gz'), Buffer.from(inventory, 'base64'));
    }
  }

  async applyApprover(): Promise<void> {
    for (const name of ['rbac', 'inventory', 'deployment']) await this.apply(`approver/${name}`);
  }

  /** Removes all requests. */
  async clear(): Promise<void> {
    await this.#api.call('DELETE', this.#path);
  }

  /** The bootstrap token that compile has made for a node, and applied. */
  tokenOf(node: string): string {
    const text = readFileSync(join(this.folder, `out/manifests/tokens/${node}.yaml`), 'utf8');
    const { 'token-id': id, 'token-secret': secret } = (parse(text) as { stringData: Record<string, string> })
      .stringData;
    return `${id ?? ''}.${secret ?? ''}`;
  }

  /** A live token of the cluster that is none of the description's. */
  async makeToken(id: string, group: string): Promise<string> {
    const secret = randomBytes(8).toString('hex');
    await this.#api.call('POST', '/api/v1/namespaces/kube-system/secrets', {
      metadata: { name: `bootstrap-token-${id}` },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': id,
        'token-secret': secret,
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': group,
      },
    });
    return `${id}.${secret}`;
  }

  /** Applies the manifests of the approver once more, as kubectl does it. @returns who holds the Lease after that */
  async applyAgain(): Promise<string | undefined> {
    const manifests = join(this.folder, 'out/manifests/approver/rbac.yaml');
    const argv = ['--kubeconfig', this.#api.kubeconfig, 'apply', '--validate=false', '-f', manifests];
    const { exitCode, all } = await execa(join(oldest.folder, 'kubectl'), argv, { reject: false, all: true });
    assert.equal(exitCode, 0, all);
    const { spec } = (await this.#api.call('GET', leasePath)) as { spec: { holderIdentity?: string } };
    return spec.holderIdentity;
  }

  async removeLease(): Promise<void> {
    await this.#api.call('DELETE', leasePath);
  }

  /** By the login of the approver. */
  spawn(words: string): Replica {
    const bake = join(import.meta.dirname, '../../dist/main.js');
    const running = execa('node', [bake, 'approve-csrs', ...words.split(' ')], {
      cwd: this.folder,
      env: { KUBECONFIG: this.#api.approverKubeconfig },
      reject: false,
    });
    let told = '';
    for (const stream of [running.stdout, running.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (told += text));
    return {
      told: () => told,
      end: async (signal) => {
        running.kill(signal);
        return (await running).exitCode;
      },
    };
  }

  /** Waits until a request is where it should be. */
  async until(name: string, state: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (let now = ''; now !== state; now = (await this.state())[name] ?? 'gone') {
      if (Date.now() > deadline) throw new Error(`${name} is not ${state}: ${now}`);
      await setTimeout(200);
    }
  }

  get api(): Pick<ApiServer, 'kill' | 'start' | 'server' | 'secondServer'> {
    return this.#api;
  }

  /** Posts what the kubelet of a node would. */
  async ask(node: string, name: string, address = addresses[node] ?? []): Promise<void> {
    const asked = attributes(extensionRequest(namesExtension(dns(node), ip(...address))));
    await this.#post(node, name, 'kubernetes.io/kubelet-serving', 'server auth', asked, asNode(node));
  }

  /**
   * Posts what the kubelet of a node would to get its client certificate: by a bootstrap token, which the apiserver takes a
   * moment to know, or to renew it.
   */
  async askClient(node: string, name: string, as: Login): Promise<void> {
    const signer = 'kubernetes.io/kube-apiserver-client-kubelet';
    await eventually(`a login for ${name}`, 30, () =>
      this.#post(node, name, signer, 'client auth', attributes(), as).then(
        () => true,
        (error: unknown) => {
          if (!String(error).includes('HTTP 401')) throw error;
          return undefined;
        },
      ),
    );
  }

  async #post(
    node: string,
    name: string,
    signerName: string,
    use: string,
    asked: CsrParts['attributes'],
    as: Login,
  ): Promise<void> {
    const der = derOf({
      ...goodParts(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      subject: sequence(organization, commonName(`system:node:${node}`)),
      attributes: asked,
    });
    const object = {
      apiVersion: `certificates.k8s.io/${this.#version}`,
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: Buffer.from(pemOf(der)).toString('base64'),
        signerName,
        usages: ['digital signature', 'key encipherment', use],
      },
    };
    await this.#api.call('POST', this.#path, object, as);
  }

  get #path(): string {
    return `/apis/certificates.k8s.io/${this.#version}/certificatesigningrequests`;
  }

  /** The ids of all bootstrap tokens in the cluster. */
  async tokens(): Promise<string[]> {
    const query = '?fieldSelector=type%3Dbootstrap.kubernetes.io/token';
    const { items } = (await this.#api.call('GET', `/api/v1/namespaces/kube-system/secrets${query}`)) as {
      items: { metadata: { name: string } }[];
    };
    return items.map(({ metadata }) => metadata.name.replace('bootstrap-token-', '')).sort();
  }

  /** Another command than approve-csrs, which has to succeed. */
  async run(...argv: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    const env = { KUBECONFIG: this.#api.kubeconfig };
    const { exitCode, stdout, stderr } = await runBake(argv, { cwd: this.folder, env, now: new Date() });
    assert.equal(exitCode, 0, stderr);
    return { stdout, stderr };
  }

  get approverKubeconfig(): string {
    return this.#api.approverKubeconfig;
  }

  /** NAME -> its conditions, and whether its certificate is there. */
  async state(): Promise<Record<string, string>> {
    const { items } = (await this.#api.call('GET', this.#path)) as { items: Csr[] };
    return Object.fromEntries(
      items.map(({ metadata, status }) => {
        const conditions = (status.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);
        return [metadata.name, [...conditions, ...(status.certificate === undefined ? [] : ['issued'])].join(', ')];
      }),
    );
  }

  async certificate(name: string): Promise<X509Certificate> {
    const { status } = (await this.#api.call('GET', `${this.#path}/${name}`)) as Csr;
    return new X509Certificate(Buffer.from(status.certificate ?? '', 'base64'));
  }

  /** A kubeconfig for the same apiserver, by another login or with another authority. */
  otherKubeconfig(user: object, authority = 'ca', { server = this.#api.server, ...cluster }: Cluster = {}): string {
    const path = join(mkdtempSync(join(this.folder, 'other-')), 'kubeconfig');
    writeFileSync(path, kubeconfigOf(server, join(this.#api.identities, `${authority}.pem`), user, cluster));
    return path;
  }

  /** The login of an administrator. */
  get token(): string {
    const { users } = JSON.parse(readFileSync(this.#api.kubeconfig, 'utf8')) as {
      users: [{ user: { token: string } }];
    };
    return users[0].user.token;
  }

  get identities(): string {
    return this.#api.identities;
  }
}

const approved = 'Approved BakePlan, issued';

for (const { release, part, version } of releases) {
  // Of the oldest is the kubectl.
  const missing = part.missing ?? debian.missing ?? oldest.missing;
  const real = suite<{ world: World }>(`approve-csrs on Kubernetes ${release}`);
  real.before(async (context) => {
    if (missing === undefined) context.world = await World.start(part.folder, release, version);
  });
  real.after(async ({ world }) => {
    if (missing === undefined) await world.end();
  });

  testUnless(real, missing, 'to look changes nothing', async ({ world }) => {
    await world.ask('node1', 'good');
    await world.ask('master', 'stolen', addresses['node1']);
    await world.ask('stranger', 'stranger', [10, 0, 0, 1]);
    const { exitCode, stdout, stderr } = await world.bake('--dry-run');
    const rows = stdout.trimEnd().split('\n').slice(1);
    assert.deepEqual(
      rows.map((row) =>
        row
          .split(/ {2,}|: /, 6)
          .slice(0, 5)
          .join(' '),
      ),
      [
        'good system:node:node1 serving pending approve',
        'stolen system:node:master serving pending refuse',
        'stranger system:node:stranger serving pending refuse',
      ],
    );
    assert.equal(stderr.match(/"dryRun":true/g)?.length, 3);
    const explained = await world.bake('--explain stolen');
    assert.match(explained.stdout, /^refuse name-not-planned: /m);
    assert.deepEqual([exitCode, explained.exitCode], [0, 0]);
    assert.deepEqual(await world.state(), { good: '', stolen: '', stranger: '' });
  });

  testUnless(real, missing, 'what is planned is approved and issued, and nothing else', async ({ world }) => {
    const { exitCode, stdout, stderr } = await world.bake('--timeout 15s');
    assert.equal(exitCode, 3);
    assert.match(stdout, /^node1 +issued +good$/m);
    assert.match(stdout, /^master +pending +stolen +name-not-planned: it names "192\.168\.31\.136"; /m);
    assert.match(stdout, /^node2 +no-request +it has not asked, or /m);
    assert.match(
      stderr,
      /^error nodes-without-certificate: 1 of 3 nodes have no serving certificate: master, and no request of node2 is there; /m,
    );
    assert.deepEqual(await world.state(), { good: approved, stolen: '', stranger: '' });

    const certificate = await world.certificate('good');
    assert.equal(certificate.subjectAltName, 'DNS:node1, IP Address:192.168.31.136');
    assert.ok(certificate.verify(new X509Certificate(readFileSync(join(world.identities, 'ca.pem'))).publicKey));
  });

  testUnless(real, missing, 'it waits for who asks late, also twice at once', async ({ world }) => {
    const both = Promise.all([world.bake('--timeout 60s'), world.bake('--timeout 60s')]);
    await setTimeout(1500);
    await world.ask('master', 'old');
    // Times have whole seconds.
    await setTimeout(1100);
    await world.ask('master', 'new');
    await world.ask('node2', 'late');
    for (const { exitCode, stdout, stderr } of await both) {
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /^master +issued +new$/m);
      assert.match(stdout, /^node2 +issued +late$/m);
    }
    const { old, ...others } = await world.state();
    // It was the newest for a second.
    assert.ok(['', approved].includes(old ?? 'gone'));
    assert.deepEqual(others, { good: approved, late: approved, new: approved, stolen: '', stranger: '' });
  });

  testUnless(real, missing, 'where all have theirs nothing is approved anew', async ({ world }) => {
    const before = await world.state();
    const { exitCode, stderr } = await world.bake('--timeout 0s');
    assert.equal(exitCode, 0, stderr);
    assert.doesNotMatch(stderr, /"verdict":"approve"/);
    assert.deepEqual(await world.state(), before);
  });

  testUnless(
    real,
    missing,
    'a node that has its certificate loses its token, unless that is younger',
    async ({ world }) => {
      const sides = async (): Promise<Record<string, string>> => {
        const { stdout } = await world.run('token', 'list', '--cluster', '--json');
        const rows = JSON.parse(stdout) as { node: string; where?: string }[];
        return Object.fromEntries(rows.map(({ node, where = 'joined' }) => [node, where]));
      };
      await world.run('compile', 'cluster.yaml');
      assert.deepEqual(await sides(), { master: 'file', node1: 'file', node2: 'file' });
      for (const node of ['master', 'node1', 'node2']) await world.apply(`tokens/${node}`);
      const all = await world.tokens();
      assert.equal(all.length, 3);
      // All have asked before.
      const early = await world.bake('--timeout 0s');
      assert.equal(early.exitCode, 0, early.stderr);
      assert.deepEqual(await world.tokens(), all);
      assert.deepEqual(await sides(), { master: 'both', node1: 'both', node2: 'both' });

      // Times have whole seconds.
      await setTimeout(1100);
      await world.ask('node1', 'joined');
      assert.equal((await world.bake('--keep-tokens --timeout 30s')).exitCode, 0);
      assert.deepEqual(await world.tokens(), all);
      const { exitCode, stderr } = await world.bake('--timeout 0s');
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr.match(/"node":"node1","token":"\w{6}","verdict":"delete"/g)?.length, 1);
      assert.equal((await world.tokens()).length, 2);
      assert.deepEqual(await sides(), { master: 'both', node1: 'joined', node2: 'both' });

      await world.run('token', 'rotate', 'node1');
      await world.run('compile', 'cluster.yaml');
      for (const where of ['file', 'both']) {
        assert.equal((await sides())['node1'], where);
        assert.doesNotMatch((await world.bake('--timeout 0s')).stderr, /bootstrap token/);
        if (where === 'file') await world.apply('tokens/node1');
      }
      assert.equal((await world.tokens()).length, 3);
      // Who asks next does so in a later second.
      await setTimeout(1100);
    },
  );

  testUnless(real, missing, 'a login that is none, may not, or does not trust, is told', async ({ world }) => {
    await world.ask('node1', 'again');
    const pair = (name: string) => ({
      'client-certificate': join(world.identities, `${name}.pem`),
      'client-key': join(world.identities, `${name}.key`),
    });
    const cases: readonly [string, RegExp][] = [
      [
        world.otherKubeconfig({ token: 'none' }),
        /^error cluster-refuses: .*\(HTTP 401\): Unauthorized; renew the login/m,
      ],
      // A node may list requests, and not approve them.
      [world.otherKubeconfig(pair('client')), /^error cluster-refuses: .*\(HTTP 403\): .*forbidden/m],
      [
        world.otherKubeconfig({ token: 'none' }, 'another-ca'),
        /^error cluster-untrusted: .* certificate is not trusted/m,
      ],
    ];
    for (const [kubeconfig, says] of cases) {
      const { exitCode, stderr } = await world.bake('--timeout 30s', kubeconfig);
      assert.match(stderr, says);
      assert.equal(exitCode, 3);
    }
    assert.equal((await world.state())['again'], '');
  });

  testUnless(
    real,
    missing,
    '--watch goes on over a restart, and tells of a certificate that does not come',
    async ({ world }) => {
      const end = new AbortController();
      const ran = world.bake('--watch --timeout 3s', undefined, end);
      await world.until('again', approved);
      await world.ask('node2', 'second');
      await world.ask('stranger', 'second-stranger', [10, 0, 0, 1]);
      await world.until('second', approved);
      await world.api.kill('kube-apiserver');
      await setTimeout(3000);
      await world.api.start('kube-apiserver');
      await world.ask('master', 'third');
      await world.until('third', approved);
      await world.api.kill('kube-controller-manager');
      await world.ask('node1', 'unsigned');
      await world.until('unsigned', 'Approved BakePlan');
      await setTimeout(4000);
      // Of all three nodes a certificate has come since their tokens were applied.
      for (const start = Date.now(); (await world.tokens()).length > 0;) {
        assert.ok(Date.now() - start < 30_000, 'the tokens stay');
        await setTimeout(200);
      }
      end.abort('SIGTERM');
      const { exitCode, stdout, stderr } = await ran;
      await world.api.start('kube-controller-manager');
      assert.equal(exitCode, 0, stderr);
      const told = stdout.trimEnd().split('\n');
      assert.deepEqual(
        told.map((line) => line.split('  ').slice(0, 3).join(' ')).slice(-4),
        ['node1 issued again', 'node2 issued second', 'master issued third', 'node1 approved unsigned'],
        stdout,
      );
      const decided = stderr
        .split('\n')
        .filter((line) => line.startsWith('{') && !line.includes('"verdict":"delete"'))
        .map((line) => JSON.parse(line) as { csr: string; verdict: string });
      const verdicts = decided.map(({ csr, verdict }) => `${csr} ${verdict}`);
      assert.equal(new Set(verdicts).size, verdicts.length, stderr);
      assert.deepEqual(
        verdicts.filter((verdict) => verdict.endsWith(' approve')),
        ['again approve', 'second approve', 'third approve', 'unsigned approve'],
      );
      assert.equal(stderr.match(/"verdict":"delete","reason":"node-joined"/g)?.length, 3, stderr);
      assert.match(stderr, /nothing listens there|connection broke/);
      // Watched, not asked for again and again: trouble takes some attempts, and a new list.
      assert.ok(verdicts.includes('second-stranger refuse'));
    },
  );

  testUnless(real, missing, "by a plugin's certificate, and as somebody else", async ({ world }) => {
    const [clientCertificateData, clientKeyData] = ['client.pem', 'client.key'].map((name) =>
      readFileSync(join(world.identities, name), 'utf8'),
    );
    const folder = mkdtempSync(join(world.folder, 'plugin-'));
    const plugin = writePlugin(folder, give({ clientCertificateData, clientKeyData }), {
      command: join(folder, 'plugin'),
    });
    // A node may list requests, and not approve them.
    const looked = await world.bake('--dry-run', world.otherKubeconfig({ exec: plugin.exec }));
    assert.equal(looked.exitCode, 0, looked.stderr);
    await world.ask('node1', 'not-by-a-node');
    const as = { as: 'system:node:node1', 'as-groups': ['system:nodes', 'system:authenticated'] };
    for (const user of [{ exec: plugin.exec }, { token: world.token, ...as }]) {
      const { exitCode, stderr } = await world.bake('--timeout 30s', world.otherKubeconfig(user));
      assert.match(stderr, /^error cluster-refuses: .*\(HTTP 403\): .*"system:node:node1"/m);
      assert.equal(exitCode, 3);
    }
    assert.equal(plugin.runs(), 2);
    assert.equal((await world.state())['not-by-a-node'], '');
  });

  testUnless(
    real,
    missing,
    'one apiserver of several is killed: the next is used, through a proxy, by a plugin that runs once',
    async ({ world }) => {
      await world.api.start('second-apiserver');
      const [stands, meant] = [world.api.server, world.api.secondServer].map((server) => new URL(server).port);
      // Names that only the proxy knows.
      const proxy = await serveProxy({ 'one.example': '127.0.0.1', 'two.example': '127.0.0.1' });
      const text = readFileSync(join(world.folder, 'cluster.yaml'), 'utf8');
      const servers = `apiServers: [one.example:${stands}, two.example:${meant}]\n`;
      writeFileSync(join(world.folder, 'several.yaml'), text.replace(/apiServers:\n(?: +- .*\n)+/, servers));
      const folder = mkdtempSync(join(world.folder, 'plugin-'));
      const plugin = writePlugin(folder, give({ token: world.token }), { command: join(folder, 'plugin') });
      const kubeconfig = world.otherKubeconfig({ exec: plugin.exec }, 'ca', {
        server: `https://two.example:${meant}`,
        'proxy-url': `http://${proxy.url}`,
        'tls-server-name': 'kubernetes',
      });
      try {
        const end = new AbortController();
        const ran = world.bake('several.yaml --watch', kubeconfig, end);
        await world.until('not-by-a-node', approved);
        assert.deepEqual(new Set(proxy.seen), new Set([`CONNECT two.example:${meant}`]));
        const from = performance.now();
        await world.api.kill('second-apiserver');
        await world.ask('master', 'by-the-next');
        await world.until('by-the-next', approved);
        const seconds = (performance.now() - from) / 1000;
        console.log(`  approved by the next ${seconds.toFixed(1)} seconds after its apiserver was killed`);
        assert.ok(seconds < 15);
        end.abort('SIGTERM');
        const { exitCode, stderr } = await ran;
        assert.equal(exitCode, 0, stderr);
        assert.match(stderr, new RegExp(`^https://two\\.example:${meant}: .*; trying again$`, 'm'));
        assert.equal(plugin.runs(), 1);

        // What is gone from the start.
        const looked = await world.bake('several.yaml --dry-run', kubeconfig);
        assert.equal(looked.exitCode, 0, looked.stderr);
        const term = new AbortController();
        const led = world.bake('several.yaml --leader-elect', kubeconfig, term);
        await world.ask('node2', 'by-the-leader');
        await world.until('by-the-leader', approved);
        term.abort('SIGTERM');
        assert.equal((await led).exitCode, 0);
        // Who has no manifests makes it.
        await world.removeLease();
      } finally {
        proxy.close();
      }
    },
  );

  testUnless(
    real,
    missing,
    'manifests/approver: the cluster takes it, and of its two one is killed: the other goes on',
    async ({ world }) => {
      await world.compileWith('approver: { image: registry.example.org/bake:0.1.0 }');
      await world.applyApprover();
      // By its login a description can be gone by too, but its tokens stay.
      await world.run('token', 'rotate', 'node1');
      const { exitCode, stderr } = await world.bake('--timeout 30s', world.approverKubeconfig);
      assert.match(
        stderr,
        /^note: bootstrap tokens .* not deleted: .*\(HTTP 403\): secrets is forbidden: .*--keep-tokens/m,
      );
      assert.equal(exitCode, 0, stderr);
      const words = '--leader-elect --inventory inventory.json.gz';
      const replicas = ['one', 'two'].map((name) => world.spawn(`${words} --audit-log ${name}.jsonl`));
      try {
        const leads = ({ told }: Replica): boolean => /is now the leader\n(?![^]*no longer)/.test(told());
        await until(() => replicas.some(leads), 'there is no leader');
        await world.ask('node2', 'before');
        await world.until('before', approved);
        const leader = replicas.find(leads);
        const other = replicas.find((replica) => replica !== leader);
        assert.ok(leader && other && !leads(other));
        // The manifests have the Lease, empty.
        const [, identity] = /^(\S+) is now the leader$/m.exec(leader.told()) ?? [];
        for (let times = 0; times < 2; times++) assert.equal(await world.applyAgain(), identity);
        const from = performance.now();
        await leader.end('SIGKILL');
        await world.ask('node2', 'after');
        await world.until('after', approved);
        const seconds = (performance.now() - from) / 1000;
        console.log(`  approved by the other ${seconds.toFixed(1)} seconds after the leader was killed`);
        assert.ok(seconds < 25 && leads(other), other.told());
        assert.equal(await other.end('SIGTERM'), 0);
        // It has freed the Lease: a third is the leader without waiting.
        const third = world.spawn(words);
        replicas.push(third);
        const started = performance.now();
        await until(() => leads(third), third.told());
        assert.ok(performance.now() - started < 10_000);
      } finally {
        for (const replica of replicas) await replica.end('SIGKILL');
      }
    },
  );

  testUnless(real, missing, '--deny denies what is refused', async ({ world }) => {
    await world.ask('node2', 'mistaken', addresses['node1']);
    const { exitCode, stdout, stderr } = await world.bake('--deny --timeout 0s');
    assert.equal(exitCode, 3);
    assert.match(stdout, /^node2 +denied +mistaken +name-not-planned: /m);
    assert.match(stderr, /"csr":"mistaken",.*"verdict":"deny"/);
    const { mistaken, stolen, stranger, again } = await world.state();
    assert.deepEqual(
      { mistaken, stolen, stranger, again },
      {
        mistaken: 'Denied NameNotPlanned',
        stolen: 'Denied NameNotPlanned',
        stranger: 'Denied NodeNotPlanned',
        again: approved,
      },
    );
  });

  testUnless(
    real,
    missing,
    'approval: plan: a client certificate is for who has the token of the node',
    async ({ world }) => {
      await world.clear();
      await world.run('token', 'rotate', 'master', 'node1', 'node2');
      await world.compileWith('approval: plan');
      for (const name of ['rbac', 'tokens/master', 'tokens/node1', 'tokens/node2']) await world.apply(name);
      const [master, node1, node2] = ['master', 'node1', 'node2'].map((node) => ({ bearer: world.tokenOf(node) }));
      assert.ok(master && node1 && node2);
      await world.askClient('node1', 'own', node1);
      await world.askClient('master', 'stolen', node2);
      // A token with the very group of the node that it asks for.
      const stranger = { bearer: await world.makeToken('zzzzzz', 'system:bootstrappers:master') };
      await world.askClient('master', 'unknown', stranger);
      await world.askClient('node1', 'renewal', asNode('node1'));
      // The cluster approves what it is to approve by itself, and nothing else.
      await world.until('renewal', 'Approved AutoApproved, issued');
      await setTimeout(2000);
      const { renewal, ...waiting } = await world.state();
      assert.deepEqual(waiting, { own: '', stolen: '', unknown: '' });

      const { exitCode, stdout, stderr } = await world.bake('--timeout 10s');
      assert.equal(exitCode, 3);
      assert.match(stdout, /^node1 +no-request +it has not asked/m);
      assert.match(
        stdout,
        /^node2 +pending +stolen +client certificate: token-of-other-node: it asks with the token of node2/m,
      );
      assert.match(stderr, /"csr":"own","node":"node1","use":"client","verdict":"approve"/);
      assert.match(
        stderr,
        /"csr":"unknown","node":"system:bootstrap:zzzzzz","use":"client",.*"reason":"token-unknown"/,
      );
      assert.doesNotMatch(stderr, /"csr":"renewal"/);
      assert.deepEqual(await world.state(), { own: approved, stolen: '', unknown: '', renewal });
      const certificate = await world.certificate('own');
      assert.deepEqual(
        [certificate.subject, certificate.subjectAltName],
        ['O=system:nodes\nCN=system:node:node1', undefined],
      );

      // By no more than the approver may, which goes by its inventory.
      await world.applyApprover();
      const approver = world.spawn('--watch --inventory inventory.json.gz');
      try {
        await world.askClient('node2', 'again', node2);
        await world.askClient('node1', 'stolen-too', master);
        await world.until('again', approved);
        await world.ask('node2', 'serving');
        await world.until('serving', approved);
        await until(() => /^node2 {2}issued {2}serving$/m.test(approver.told()), approver.told());
        assert.match(approver.told(), /^node2 {2}issued {2}again {2}client certificate$/m);
        assert.match(approver.told(), /"csr":"stolen-too","node":"master",.*"reason":"token-of-other-node"/);
        assert.equal((await world.state())['stolen-too'], '');
      } finally {
        assert.equal(await approver.end('SIGTERM'), 0);
      }
    },
  );

  real.run();
}
