import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { copyGuide } from '../support/copy-guide.ts';
import { give, writePlugin, type TestPlugin } from '../support/exec-plugin.ts';
import { fakeApiServer, type FakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { makeAuthority } from '../support/make-certificate.ts';
import { csrOf } from '../support/make-csr.ts';
import { runBake } from '../support/run-bake.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// How bake approve-csrs logs in and gets through; where the kubeconfig is found is among the unit tests.
const logins = suite('logins of a kubeconfig');

interface World {
  readonly folder: string;
  readonly server: FakeApiServer;
  /** Runs approve-csrs by a kubeconfig with this user, in the folder beside which it lies. */
  readonly bake: (
    words: string,
    user: object,
    options?: { env?: Record<string, string>; signal?: AbortSignal; cluster?: object; now?: Date; server?: string },
  ) => ReturnType<typeof runBake>;
}

function inWorld(work: (world: World) => Promise<void>): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
      copyGuide(folder);
      writeFileSync(join(folder, 'ca.pem'), server.certificate);
      const bake: World['bake'] = (words, user, { cluster, env = {}, server: place = server.url, ...options } = {}) => {
        writeFileSync(join(folder, 'config'), kubeconfigOf(place, 'ca.pem', user, cluster));
        // Relative commands start from there.
        const argv = ['approve-csrs', join(folder, 'cluster.yaml'), ...words.split(' ')];
        const found = { PATH: process.env['PATH'] ?? '', KUBECONFIG: join(folder, 'config'), ...env };
        return runBake(argv, { cwd: '/', env: found, ...options });
      };
      try {
        await work({ folder, server, bake });
      } finally {
        await server.close();
      }
    });
}

/** Waits until something has come about. */
async function until(isSo: () => boolean, otherwise: () => string): Promise<void> {
  for (const start = performance.now(); !isSo();) {
    assert.ok(performance.now() - start < 10_000, otherwise());
    await setTimeout(20);
  }
}

logins(
  'an exec plugin runs once, as kubectl would run it, and only what it says on stderr is seen',
  inWorld(async ({ folder, server, bake }) => {
    server.tokens = ['of-plugin'];
    const told = 'echo "$KUBERNETES_EXEC_INFO" >info; echo "$1 $GREETING $HOME" >words; echo "log in here" >&2';
    const plugin = writePlugin(folder, `cd ${folder}; ${told}; ${give({ token: 'of-$1' })}`, {
      args: ['plugin'],
      env: [{ name: 'GREETING', value: 'hello' }],
      provideClusterInfo: true,
    });
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }];
    const options = { env: { HOME: '/home' }, cluster: { 'tls-server-name': 'localhost', extensions } };
    const { stdout, stderr } = await bake('--timeout 0s', { exec: plugin.exec }, options);
    assert.match(stdout, /^node1 +(approved|issued) +csr-prd8t/m);
    assert.equal(plugin.runs(), 1);
    assert.match(stderr, /^log in here$/m);
    assert.doesNotMatch(stdout + stderr, /of-plugin|ExecCredential/);
    assert.equal(readFileSync(join(folder, 'words'), 'utf8'), 'plugin hello /home\n');
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'info'), 'utf8')), {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: server.url,
          'tls-server-name': 'localhost',
          'certificate-authority-data': btoa(server.certificate),
          config: { audience: 'x' },
        },
      },
    });
  }),
);

logins(
  'v1beta1, a program on PATH, and no word of the cluster unless it is asked for',
  inWorld(async ({ folder, server, bake }) => {
    server.tokens = ['beta'];
    const apiVersion = 'client.authentication.k8s.io/v1beta1';
    const script = `echo "$KUBERNETES_EXEC_INFO" >${folder}/info; ${give({ token: 'beta' }, apiVersion)}`;
    const { exec, runs } = writePlugin(folder, script);
    const user = { exec: { ...exec, apiVersion, command: 'plugin', interactiveMode: null } };
    const { stdout } = await bake('--dry-run', user, { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } });
    assert.match(stdout, /^csr-prd8t .* approve$/m);
    assert.equal(runs(), 1);
    const { spec } = JSON.parse(readFileSync(join(folder, 'info'), 'utf8')) as { spec: { cluster?: object } };
    assert.equal(spec.cluster, undefined);
  }),
);

logins(
  'a token in the kubeconfig goes before its plugin',
  inWorld(async ({ folder, server, bake }) => {
    server.tokens = ['written'];
    const { exec, runs } = writePlugin(folder, give({ token: 'of-plugin' }));
    assert.equal((await bake('--dry-run', { exec, token: 'written' })).exitCode, 0);
    assert.equal(runs(), 0);
  }),
);

/** Approves in a --watch a request that comes when the login is no longer good. */
async function watchOverRenewal(
  { server, bake }: World,
  plugin: TestPlugin,
  renew: () => void,
  now: Date,
): Promise<void> {
  const end = new AbortController();
  server.tokens = ['token-1'];
  const ran = bake('--watch', { exec: plugin.exec }, { signal: end.signal, now });
  try {
    await until(
      () => server.objects.get('csr-prd8t')?.status.certificate !== undefined,
      () => 'nothing is issued',
    );
    renew();
    const metadata = { name: 'csr-later', uid: 'later', creationTimestamp: '2020-08-02T15:30:00Z' };
    server.store('csr-later', csrOf({}, { metadata }) as unknown as Stored);
    await until(
      () => server.objects.get('csr-later')?.status.certificate !== undefined,
      () => JSON.stringify(server.requests.slice(-5)),
    );
  } finally {
    end.abort('SIGTERM');
  }
  const { exitCode, stderr } = await ran;
  assert.equal(exitCode, 0, stderr);
  assert.doesNotMatch(stderr, /token-\d/);
}

logins('a plugin runs again once the cluster refuses what it gave', () =>
  inWorld(async (world) => {
    const plugin = writePlugin(world.folder, give({ token: 'token-$run' }));
    await watchOverRenewal(world, plugin, () => (world.server.tokens = ['token-2']), new Date());
    assert.equal(plugin.runs(), 2);
  })(),
);

logins('a plugin runs again once what it gave has expired, and not before', () =>
  inWorld(async (world) => {
    const expirationTimestamp = '2020-08-02T15:00:00Z';
    const plugin = writePlugin(world.folder, give({ token: 'token-$run', expirationTimestamp }));
    const now = new Date('2020-08-02T14:59:59Z');
    const renew = (): void => {
      assert.equal(plugin.runs(), 1);
      // Both: what is refused is not what counts here.
      world.server.tokens = ['token-1', 'token-2'];
      now.setTime(Date.parse('2020-08-02T15:00:00+00:00'));
    };
    await watchOverRenewal(world, plugin, renew, now);
    assert.ok(plugin.runs() > 1);
  })(),
);

logins(
  'a plugin that does not do as it should is told, without what it wrote',
  inWorld(async ({ folder, bake }) => {
    const cases: readonly [string, object, RegExp][] = [
      [
        '',
        { command: './none', installHint: 'brew install none\n' },
        /plugin \.\/none is not there; brew install none$/m,
      ],
      ['', { command: 'no-such-program' }, /plugin no-such-program is not there; install it$/m],
      ['', { command: './ca.pem' }, /plugin \.\/ca\.pem has failed \(EACCES\)/],
      ['echo secret; exit 7', {}, /plugin \.\/plugin has failed \(exit code 7\); what it said is above/],
      ['kill -KILL $$', {}, /has failed \(SIGKILL\)/],
      ['echo secret', {}, /has given no ExecCredential of client\.authentication\.k8s\.io\/v1 with a login/],
      [give({ token: 'secret' }, 'client.authentication.k8s.io/v1beta1'), {}, /has given no ExecCredential/],
      [give({ clientCertificateData: 'secret' }), {}, /has given no ExecCredential/],
      [give({}), {}, /has given no ExecCredential/],
      [give({ token: 'secret', expirationTimestamp: 'tomorrow' }), {}, /has given no ExecCredential/],
      ['yes secret', {}, /has failed \(.*\)/],
      [give({ token: 'secret' }), { interactiveMode: 'Always' }, /asks questions, and stdin is no terminal/],
    ];
    for (const [script, more, says] of cases) {
      const { exitCode, stdout, stderr } = await bake('--timeout 60s', {
        exec: writePlugin(folder, script, more).exec,
      });
      assert.match(stderr, /^error kubeconfig-unusable: /m);
      assert.match(stderr, says);
      assert.doesNotMatch(stdout + stderr, /secret/);
      assert.equal(exitCode, 3);
    }
  }),
);

logins(
  'a plugin that waits for ever is not waited for after Ctrl-C, nor what it has started',
  inWorld(async ({ folder, bake }) => {
    for (const words of ['--timeout 60s', '--watch', '--leader-elect']) {
      const { exec, runs } = writePlugin(folder, 'sleep 30; true');
      const before = runs();
      const end = new AbortController();
      const ran = bake(words, { exec }, { signal: end.signal });
      await until(
        () => runs() > before,
        () => 'it does not run',
      );
      const from = performance.now();
      end.abort('SIGINT');
      const { exitCode } = await ran;
      assert.ok(performance.now() - from < 2000);
      assert.equal(exitCode, words === '--timeout 60s' ? 130 : 0);
    }
  }),
);

logins(
  'a plugin may ask who sits at the terminal',
  inWorld(async ({ folder, server }) => {
    server.tokens = ['typed'];
    const info = join(folder, 'info');
    const ask = `printf 'Code: ' >&2; read answer; echo "$KUBERNETES_EXEC_INFO" >${info}`;
    const { exec } = writePlugin(folder, `${ask}; ${give({ token: '$answer' })}`, { interactiveMode: 'Always' });
    writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', { exec }));
    const main = join(import.meta.dirname, '../../dist/main.js');
    const command = `${process.execPath} ${main} approve-csrs --kubeconfig config --dry-run`;
    // A terminal of its own; what is typed there is shown.
    const asked = await execa('script', ['-qec', command, '/dev/null'], {
      cwd: folder,
      input: 'typed\n',
      reject: false,
    });
    assert.match(asked.stdout, /^Code: /m);
    assert.match(asked.stdout, /^csr-prd8t .* approve/m);
    assert.equal(asked.exitCode, 0);
    const { spec } = JSON.parse(readFileSync(info, 'utf8')) as { spec: { interactive: boolean } };
    assert.ok(spec.interactive);
  }),
);

logins(
  'proxy-url is gone through, with its login, and the TLS in its tunnel is with the apiserver',
  inWorld(async ({ server, bake }) => {
    const { port } = new URL(server.url);
    // Neither name is known on this machine.
    const proxy = await serveProxy({ 'apiserver.example': '127.0.0.1' });
    try {
      const place = `https://apiserver.example:${port}`;
      const asked = `CONNECT apiserver.example:${port}`;
      const cluster = { 'tls-server-name': 'localhost' };
      const own = { ...cluster, 'proxy-url': `http://user:word@${proxy.url}` };
      const first = await bake('--timeout 0s', { token: 'any' }, { server: place, cluster: own });
      assert.match(first.stdout, /^node1 +(approved|issued) /m);
      assert.ok(proxy.seen.length > 0);
      assert.deepEqual(new Set(proxy.seen), new Set([`${asked} Basic ${btoa('user:word')}`]));

      proxy.seen.length = 0;
      const env = { HTTPS_PROXY: proxy.url };
      const second = await bake('--dry-run', { token: 'any' }, { server: place, cluster, env });
      assert.equal(second.exitCode, 0, second.stderr);
      assert.deepEqual(new Set(proxy.seen), new Set([asked]));

      const wrong = await bake('--dry-run', { token: 'any' }, { server: place, env });
      assert.match(
        wrong.stderr,
        /^error cluster-untrusted: https:\/\/apiserver\.example:\d+: its certificate is not trusted: /m,
      );
      const around = await bake(
        '--dry-run',
        { token: 'any' },
        { server: place, env: { ...env, NO_PROXY: '.example' } },
      );
      assert.match(around.stderr, /there is no such host \(ENOTFOUND\)|cannot be looked up/);
    } finally {
      proxy.close();
    }
    const gone = { 'proxy-url': `http://user:word@${proxy.url}` };
    const { exitCode, stderr } = await bake('--timeout 0s', { token: 'any' }, { cluster: gone });
    assert.match(stderr, new RegExp(`: the proxy ${proxy.url}: nothing listens there `));
    assert.doesNotMatch(stderr, /word/);
    assert.equal(exitCode, 3);
  }),
);

logins(
  'an https:// proxy is known by what Node trusts, and does not get the client certificate',
  inWorld(async ({ folder, server }) => {
    const [own, user] = [makeAuthority(), makeAuthority()].map(({ certificate, keys }) => {
      return { cert: certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
    });
    assert.ok(own && user);
    const proxy = await serveProxy({}, { ...own, requestCert: true, rejectUnauthorized: false });
    writeFileSync(join(folder, 'proxy.pem'), own.cert);
    const login = {
      'client-certificate-data': Buffer.from(user.cert).toString('base64'),
      'client-key-data': Buffer.from(user.key).toString('base64'),
    };
    const cluster = { 'proxy-url': `https://user:word@${proxy.url}` };
    writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', login, cluster));
    // Another process each time, since Node reads whom it trusts when it starts.
    const argv = [join(import.meta.dirname, '../../dist/main.js'), 'approve-csrs', 'cluster.yaml', '--dry-run'];
    const bake = (env: Readonly<Record<string, string>>) =>
      execa(process.execPath, argv, {
        cwd: folder,
        env: { KUBECONFIG: 'config', ...env },
        extendEnv: false,
        reject: false,
      });
    try {
      const { exitCode, stdout, stderr } = await bake({ NODE_EXTRA_CA_CERTS: join(folder, 'proxy.pem') });
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /^csr-prd8t +system:node:node1 .* approve/m);
      const asked = `CONNECT ${new URL(server.url).host} Basic ${btoa('user:word')}`;
      assert.deepEqual(new Set(proxy.seen), new Set([asked]));

      const stranger = await bake({});
      assert.equal(stranger.exitCode, 3);
      assert.match(stranger.stderr, new RegExp(`the proxy ${proxy.url}: its certificate is not trusted: `));
      assert.doesNotMatch(stranger.stderr, /word/);
    } finally {
      proxy.close();
    }
  }),
);

logins(
  'a watch goes through the proxy too',
  inWorld(async ({ folder, server, bake }) => {
    const proxy = await serveProxy();
    const end = new AbortController();
    const ran = bake(
      '--watch',
      { token: 'any' },
      { cluster: { 'proxy-url': proxy.url.replace(/^/, 'http://') }, signal: end.signal },
    );
    try {
      await until(
        () => server.objects.get('csr-prd8t')?.status.certificate !== undefined,
        () => folder,
      );
      assert.equal(server.watchers, 1);
      assert.deepEqual(new Set(proxy.seen), new Set([`CONNECT ${new URL(server.url).host}`]));
    } finally {
      end.abort('SIGTERM');
      await ran;
      proxy.close();
    }
  }),
);

logins.run();
