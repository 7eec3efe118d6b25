import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import type { Login } from '../../src/edges/kubernetes/connection.ts';
import { readKubeconfig } from '../../src/edges/kubernetes/read-kubeconfig.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// A kubeconfig is found and read as kubectl does it; the apiserver's side of it is among the end-to-end tests.
const kubeconfigs = suite('kubeconfig');

interface Parts {
  readonly server?: string;
  readonly cluster?: object;
  readonly user?: object;
  readonly current?: string;
  readonly name?: string;
}

function config({
  server = 'https://10.0.0.1:6443',
  cluster = {},
  user = {},
  current = 'main',
  name = 'main',
}: Parts = {}) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': current,
    clusters: [{ name, cluster: { server, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    preferences: {},
  });
}

interface Said {
  readonly server: string;
  readonly proxyFor: (place: string) => string | undefined;
  readonly tls: () => Login['tls'];
  readonly headers: () => Login['headers'];
}

type Read = (
  files: Readonly<Record<string, string>>,
  options?: { env?: Record<string, string>; kubeconfig?: string; context?: string; serviceAccount?: string },
) => Said;

function inFolder(work: (read: Read, folder: string) => void): () => Promise<void> {
  return () =>
    inTemporaryFolder((folder) => {
      const read: Read = (files, { env = { KUBECONFIG: 'config' }, serviceAccount, ...wanted } = {}) => {
        for (const [name, content] of Object.entries(files)) {
          mkdirSync(join(folder, name, '..'), { recursive: true });
          writeFileSync(join(folder, name), content);
        }
        const connection = readKubeconfig(wanted, {
          cwd: folder,
          env: { HOME: join(folder, 'home'), ...env },
          serviceAccount: join(folder, serviceAccount ?? 'none'),
          now: () => new Date(),
          stderr: { write: () => undefined },
          signal: new AbortController().signal,
        });
        const login = (): Login => connection.login(new AbortController().signal) as Login;
        return {
          server: connection.servers.join(' '),
          proxyFor: (place) => connection.proxyFor(new URL(place)),
          tls: () => login().tls,
          headers: () => login().headers,
        };
      };
      work(read, folder);
    });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

function refuses(what: string, says: RegExp, ...arguments_: Parameters<Read>): void {
  kubeconfigs(
    `refused: ${what}`,
    inFolder((read) => {
      assert.throws(() => read(...arguments_), { code: 'kubeconfig-unusable', message: says });
    }),
  );
}

kubeconfigs(
  'the file that is named, else those of $KUBECONFIG, else that at home',
  inFolder((read) => {
    const files = {
      named: config({ server: 'https://named/' }),
      config: config({ server: 'https://config' }),
      'home/.kube/config': config({ server: 'https://home' }),
    };
    assert.equal(read(files, { kubeconfig: 'named' }).server, 'https://named');
    assert.equal(read(files).server, 'https://config');
    assert.equal(read(files, { env: {} }).server, 'https://home');
    assert.equal(read(files, { env: { KUBECONFIG: '' } }).server, 'https://home');
  }),
);

kubeconfigs(
  'of several files the first that says something is right, and one that is not there is passed over',
  inFolder((read) => {
    const files = {
      one: config({ server: 'https://one', current: '', user: { token: 'one' } }),
      two: config({ server: 'https://two', user: { token: 'two' } }),
      three: config({ server: 'https://three', name: 'third', current: 'third' }),
    };
    const env = { KUBECONFIG: 'none:one:two:three' };
    const first = read(files, { env });
    assert.deepEqual([first.server, first.headers()], ['https://one', bearer('one')]);
    assert.equal(read(files, { env, context: 'third' }).server, 'https://three');
  }),
);

kubeconfigs(
  'YAML, as kubectl writes it',
  inFolder((read) => {
    const yaml = `apiVersion: v1
clusters:
- cluster: {server: 'https://[fd00::1]:6443', tls-server-name: kubernetes, insecure-skip-tls-verify: true}
  name: c
contexts:
- context: {cluster: c, user: u}
  name: u@c
current-context: u@c
kind: Config
users:
- name: u
  user: {token: abc}
`;
    const { server, tls, headers } = read({ config: yaml });
    assert.deepEqual(
      [server, tls()],
      ['https://[fd00::1]:6443', { servername: 'kubernetes', rejectUnauthorized: false }],
    );
    assert.deepEqual(headers(), bearer('abc'));
  }),
);

kubeconfigs(
  'certificates: paths start from the file that names them, and what is written there goes first',
  inFolder((read) => {
    const files = {
      'pki/ca.pem': 'ca',
      'pki/admin.pem': 'cert',
      'pki/admin.key': 'key',
      config: config({
        cluster: { 'certificate-authority': 'pki/ca.pem' },
        user: { 'client-certificate': 'pki/admin.pem', 'client-key': 'pki/admin.key' },
      }),
      inline: config({
        cluster: { 'certificate-authority': 'none.pem', 'certificate-authority-data': btoa('inline ca') },
        user: { 'client-certificate-data': btoa('inline cert'), 'client-key-data': btoa('inline key') },
      }),
    };
    const texts = ({ tls }: Said) => {
      const { ca, cert, key } = tls();
      return [ca, cert, key].map(String);
    };
    assert.deepEqual(texts(read(files)), ['ca', 'cert', 'key']);
    assert.deepEqual(texts(read(files, { kubeconfig: 'inline' })), ['inline ca', 'inline cert', 'inline key']);
  }),
);

kubeconfigs(
  "a token's file goes before a token, and is read each time",
  inFolder((read, folder) => {
    const { headers } = read({ config: config({ user: { token: 'old', tokenFile: 'token' } }), token: 'first\n' });
    assert.deepEqual(headers(), bearer('first'));
    writeFileSync(join(folder, 'token'), 'second\n');
    assert.deepEqual(headers(), bearer('second'));
  }),
);

kubeconfigs(
  'in a Pod, its service account, whose files are read each time; a kubeconfig goes before it',
  inFolder((read, folder) => {
    const files = { 'account/ca.crt': 'ca', 'account/token': 'first\n' };
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const { server, tls, headers } = read(files, { env, serviceAccount: 'account' });
    assert.deepEqual([server, String(tls().ca), headers()], ['https://[fd00::1]:443', 'ca', bearer('first')]);
    writeFileSync(join(folder, 'account/token'), 'second\n');
    writeFileSync(join(folder, 'account/ca.crt'), 'another ca');
    assert.deepEqual([headers(), String(tls().ca)], [bearer('second'), 'another ca']);
    const named = { env: { ...env, KUBECONFIG: 'config' }, serviceAccount: 'account' };
    assert.equal(read({ config: config() }, named).server, 'https://10.0.0.1:6443');
  }),
);

refuses(
  'a Pod without a service account',
  /\/none\/token, which the login needs, cannot be read \(ENOENT\); a Pod .* automountServiceAccountToken is false$/,
  {},
  {
    env: { KUBERNETES_SERVICE_HOST: '10.254.0.1', KUBERNETES_SERVICE_PORT: '443' },
  },
);
refuses('none', /^there is no kubeconfig; name one with --kubeconfig/, {}, { env: {} });
refuses('one that is named and not there', /none does not exist/, {}, { kubeconfig: 'none' });
refuses('what is no YAML', /is no kubeconfig/, { config: '{' });
refuses('what is another thing', /is no kubeconfig: clusters/, { config: 'clusters: 7' });
refuses('no context', /names no current context; name one with --context/, { config: config({ current: '' }) });
refuses('an unknown context', /has no context "other"/, { config: config() }, { context: 'other' });
refuses('a cluster that is missing', /has no cluster "main"/, { config: config().replace('"clusters"', '"x"') });
refuses('a user that is missing', /has no user "main"/, { config: config().replace('"users"', '"x"') });
refuses('http://', /"http:\/\/10\.0\.0\.1" is no https:\/\/ address/, {
  config: config({ server: 'http://10.0.0.1' }),
});
refuses('a file that is missing', /ca\.pem, which the login needs, cannot be read \(ENOENT\)/, {
  config: config({ cluster: { 'certificate-authority': 'ca.pem' } }),
});
for (const [way, user] of Object.entries({
  'auth-provider': { 'auth-provider': { name: 'oidc' } },
  username: { username: 'admin', password: 'secret' },
})) {
  refuses(way, new RegExp(`goes by ${way}, which Kubernetes has given up`), { config: config({ user }) });
}
refuses('groups of nobody', /is to be seen as a group or uid of nobody; say who with `as`/, {
  config: config({ user: { 'as-groups': ['system:masters'] } }),
});
for (const [proxy, says] of Object.entries({
  'socks5://user:secret@proxy:1080': /^its proxy-url is no http:\/\/ or https:\/\/ address; correct it$/,
  'proxy:3128': /^its proxy-url is no http:/,
})) {
  refuses(`the proxy ${proxy}`, says, { config: config({ cluster: { 'proxy-url': proxy } }) });
}
for (const [what, exec, says] of [
  [
    'an old one',
    { apiVersion: 'client.authentication.k8s.io/v1alpha1' },
    /its exec has the apiVersion ".*v1alpha1"; bake knows/,
  ],
  ['one that does not say whether it asks', {}, /its exec has no interactiveMode; it is Never, IfAvailable or Always/],
] as const) {
  const user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'login', ...exec } };
  refuses(`exec: ${what}`, says, { config: config({ user }) });
}

kubeconfigs(
  'to be seen as somebody else',
  inFolder((read) => {
    const as = { as: 'jane', 'as-uid': '7', 'as-groups': ['a', 'b'], 'as-user-extra': { 'example.org/x': ['y'] } };
    assert.deepEqual(read({ config: config({ user: { token: 'abc', ...as } }) }).headers(), {
      ...bearer('abc'),
      'impersonate-user': 'jane',
      'impersonate-uid': '7',
      'impersonate-group': ['a', 'b'],
      'impersonate-extra-example.org%2Fx': ['y'],
    });
  }),
);

kubeconfigs(
  'a proxy of its own goes before those of the environment, whose exceptions are those of Go',
  inFolder((read) => {
    const env = {
      KUBECONFIG: 'config',
      HTTPS_PROXY: 'proxy:3128',
      NO_PROXY: '10.0.0.0/8, .corp,192.168.1.1:6443,fd00::/8,x.org:443,[2001:db8::1]:6443,2001:db8::2,300.1.1.1/8,a/b',
    };
    const { proxyFor } = read({ config: config() }, { env });
    const direct = [
      ...[
        'https://10.254.0.1:443',
        'https://api.corp',
        'https://192.168.1.1:6443',
        'https://[fd12::1]',
        'https://x.org',
      ],
      ...['https://a.x.org', 'https://[2001:db8::1]:6443', 'https://[2001:db8::2]'],
      ...['https://127.0.0.1:1', 'https://[::1]:1', 'https://localhost:1', 'http://other'],
    ];
    for (const place of direct) assert.equal(proxyFor(place), undefined, place);
    for (const place of [
      'https://11.0.0.1',
      'https://api.acorp',
      'https://192.168.1.1',
      'https://x.org:6443',
      'https://b',
    ]) {
      assert.equal(proxyFor(place), 'http://proxy:3128', place);
    }
    assert.equal(read({ config: config() }, { env: { ...env, NO_PROXY: 'a,*' } }).proxyFor('https://b'), undefined);
    const own = read({ config: config({ cluster: { 'proxy-url': 'https://own' } }) }, { env });
    assert.equal(own.proxyFor('https://10.254.0.1:443'), 'https://own');
  }),
);

kubeconfigs(
  'no secret is in a message',
  inFolder((read) => {
    for (const content of ['token: [secret', config({ user: { token: 7, password: 'secret' } })]) {
      assert.throws(
        () => read({ config: content }),
        (error: Error) => !error.message.includes('secret'),
      );
    }
  }),
);

kubeconfigs.run();
