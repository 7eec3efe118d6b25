import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
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

type Read = (
  files: Readonly<Record<string, string>>,
  options?: { env?: Record<string, string>; kubeconfig?: string; context?: string; serviceAccount?: string },
) => ReturnType<typeof readKubeconfig>;

function inFolder(work: (read: Read, folder: string) => void): () => Promise<void> {
  return () =>
    inTemporaryFolder((folder) => {
      const read: Read = (files, { env = { KUBECONFIG: 'config' }, serviceAccount, ...wanted } = {}) => {
        for (const [name, content] of Object.entries(files)) {
          mkdirSync(join(folder, name, '..'), { recursive: true });
          writeFileSync(join(folder, name), content);
        }
        return readKubeconfig(wanted, {
          cwd: folder,
          env: { HOME: join(folder, 'home'), ...env },
          serviceAccount: join(folder, serviceAccount ?? 'none'),
        });
      };
      work(read, folder);
    });
}

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
    assert.deepEqual([first.server, first.token()], ['https://one', 'one']);
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
    const { server, tls, token } = read({ config: yaml });
    assert.deepEqual(
      [server, tls],
      ['https://[fd00::1]:6443', { servername: 'kubernetes', rejectUnauthorized: false }],
    );
    assert.equal(token(), 'abc');
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
    const texts = ({ tls: { ca, cert, key } }: ReturnType<Read>) => [ca, cert, key].map(String);
    assert.deepEqual(texts(read(files)), ['ca', 'cert', 'key']);
    assert.deepEqual(texts(read(files, { kubeconfig: 'inline' })), ['inline ca', 'inline cert', 'inline key']);
  }),
);

kubeconfigs(
  "a token's file goes before a token, and is read each time",
  inFolder((read, folder) => {
    const { token } = read({ config: config({ user: { token: 'old', tokenFile: 'token' } }), token: 'first\n' });
    assert.equal(token(), 'first');
    writeFileSync(join(folder, 'token'), 'second\n');
    assert.equal(token(), 'second');
  }),
);

kubeconfigs(
  'in a Pod, its service account, whose token is read each time; a kubeconfig goes before it',
  inFolder((read, folder) => {
    const files = { 'account/ca.crt': 'ca', 'account/token': 'first\n' };
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const { server, tls, token } = read(files, { env, serviceAccount: 'account' });
    assert.deepEqual([server, String(tls.ca), token()], ['https://[fd00::1]:443', 'ca', 'first']);
    writeFileSync(join(folder, 'account/token'), 'second\n');
    assert.equal(token(), 'second');
    const named = { env: { ...env, KUBECONFIG: 'config' }, serviceAccount: 'account' };
    assert.equal(read({ config: config() }, named).server, 'https://10.0.0.1:6443');
  }),
);

refuses(
  'a Pod without a service account',
  /ca\.crt, which the login needs, cannot be read \(ENOENT\)/,
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
for (const [way, parts] of Object.entries<Parts>({
  exec: { user: { exec: { command: 'aws' } } },
  'auth-provider': { user: { 'auth-provider': { name: 'oidc' } } },
  username: { user: { username: 'admin', password: 'secret' } },
  as: { user: { as: 'system:admin' } },
  'proxy-url': { cluster: { 'proxy-url': 'http://user:secret@proxy' } },
})) {
  refuses(way, new RegExp(`goes by ${way}, which bake does not know`), { config: config(parts) });
}

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
