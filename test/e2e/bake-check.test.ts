import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer, isIPv6, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { suite } from 'uvu';
import { runInRoot } from '../parts/parts.ts';
import { makeIdentities } from '../support/make-identities.ts';
import { runBake } from '../support/run-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// bake-check runs in Debian 12 on what is compiled, with real curl and openssl, against a server that stands where
// kube-nginx listens. That one stands in for the apiserver: it gives the statuses that Kubernetes does for who asks.
// systemctl and journalctl are stubs, since no systemd runs in this root.
const check = suite('bake-check');
const debian = await tryPart('debian-12');
const loopback = existsSync('/proc/net/if_inet6') ? readFileSync('/proc/net/if_inet6', 'utf8') : '';
const withoutIPv6 = /^0{31}1 /m.test(loopback) ? undefined : 'this machine has no ::1';
const fixtureToken = 'abcdef.0123456789abcdef';

const work = mkdtempSync(join(tmpdir(), 'bake-test-'));
const identities = join(work, 'identities');
const identity = (name: string) => ({
  ca: readFileSync(join(identities, 'ca.pem')),
  cert: readFileSync(join(identities, `${name}.pem`)),
  key: readFileSync(join(identities, `${name}.key`)),
});

/** What the cluster knows, and lets be. */
interface Knowledge {
  readonly token: boolean;
  readonly rbac: boolean;
  readonly node: boolean;
  /** Kubernetes 1.18 has no certificates.k8s.io/v1. */
  readonly certificatesV1: boolean;
  readonly failing: boolean;
}
const everything: Knowledge = { token: true, rbac: true, node: true, certificatesV1: true, failing: false };
let known = everything;

function statusFor(request: IncomingMessage): number {
  const { socket } = request;
  const { authorization } = request.headers;
  assert.ok(socket instanceof TLSSocket);
  const [path] = (request.url ?? '').split('?');
  if (known.failing) return 500;
  if (authorization !== undefined && !(known.token && authorization === `Bearer ${fixtureToken}`)) return 401;
  const isNode = authorization === undefined && socket.getPeerX509Certificate() !== undefined;
  if (isNode && !socket.authorized) return 401;
  if (path === '/apis/certificates.k8s.io/v1/certificatesigningrequests') {
    if (authorization === undefined || !known.rbac) return 403;
    return known.certificatesV1 ? 200 : 404;
  }
  if (!isNode) return 403;
  return path === '/api/v1/nodes/node1' && known.node ? 200 : 404;
}

let endpoint = '';
let template = '';
const newApiServer = () =>
  createTlsServer({ requestCert: true, rejectUnauthorized: false }, (request, response) =>
    response.writeHead(statusFor(request)).end(),
  );
const apiServer = newApiServer();
/** As kube-nginx without any apiserver: it takes a connection, and closes it. */
const withoutUpstream = createServer((socket: Socket) => socket.destroy());

/** @returns where it listens */
async function listen(server: Server, host = '127.0.0.1'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { address, port } = server.address() as AddressInfo;
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

const ipv4 = {
  network: '{ podCIDR: 172.30.0.0/16, serviceCIDR: 10.254.0.0/16, dnsAddress: 10.254.0.2 }',
  closed: '127.0.0.1:1',
  node: '192.168.31.136',
};
const ipv6: typeof ipv4 = {
  network: '{ podCIDR: "fd00:172:30::/56", serviceCIDR: "fd00:10:254::/112", dnsAddress: "fd00:10:254::a" }',
  closed: '[::1]:1',
  node: 'fd00:31::136',
};

/** @returns the output folder, of a cluster whose kube-nginx listens there */
async function compileFor(at: string, name: string, { network, closed, node } = ipv4, more = ''): Promise<string> {
  const folder = join(work, name);
  mkdirSync(folder);
  copyFileSync(join(identities, 'ca.pem'), join(folder, 'ca.pem'));
  writeFileSync(
    join(folder, 'cluster.yaml'),
    `version: 1
controlPlane:
  apiServers: ["${closed}", "${at}"]
  certificateAuthority: ca.pem
network: ${network}
kubeNginx: { listen: "${at}" }
${more}
nodes: [{ name: node1, address: "${node}" }]
`,
  );
  const { exitCode, stderr } = await runBake(['compile', 'cluster.yaml'], { cwd: folder });
  assert.equal(exitCode, 0, stderr);
  await placeFiles(join(folder, 'out'));
  return join(folder, 'out');
}

check.before(async () => {
  if (debian.missing !== undefined) return;
  await makeIdentities(debian.folder, identities);
  endpoint = await listen(apiServer);
  template = await compileFor(endpoint, 'cluster');
});

check.before.each(() => {
  known = everything;
  if (debian.missing === undefined) apiServer.setSecureContext(identity('server'));
});

check.after(() => {
  apiServer.close();
  withoutUpstream.close();
  rmSync(work, { recursive: true, force: true });
});

/** The files of node1, as cloud-init writes them from its user-data. */
async function placeFiles(out: string): Promise<void> {
  const folder = placedIn(out);
  mkdirSync(folder);
  const write = ['cloud-init', '--file', '/node/user-data', 'single', '--name', 'write_files', '--frequency', 'always'];
  const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', `${write.join(' ')} > /dev/null`], {
    binds: [
      { from: join(out, 'nodes/node1'), to: '/node' },
      { from: folder, to: '/etc/kubernetes', writable: true },
    ],
  });
  assert.equal(exitCode, 0, all);
}

const placedIn = (out: string): string => join(out, '../placed');

// Every command line that is run is written down, to be searched for secrets.
const install = `
set -eu
cp -R /out/packer/rootfs/. /
mkdir /stubs
cat > /stubs/systemctl <<'STUB'
#!/bin/sh
# systemctl show UNIT --property=NAME --value, of units that have long been up, but for what a test says by state.
property=\${3#--property=}
cat "/stubs/$2.$property" 2>/dev/null && exit
case $property in ActiveState) echo active ;; NRestarts) echo 0 ;; *) echo 1 ;; esac
STUB
cat > /stubs/journalctl <<'STUB'
#!/bin/sh
cat /stubs/journal 2>/dev/null || true
STUB
spy() { printf '#!/bin/sh\\necho "%s $*" >> /run/argv\\nexec %s "$@"\\n' "$1" "$1" > "/usr/local/bin/\${1##*/}"; }
for program in /usr/bin/curl /usr/bin/openssl /stubs/systemctl /stubs/journalctl; do spy "$program"; done
chmod 755 /stubs/* /usr/local/bin/*
touch /run/argv
place() { cp -R /placed/. /etc/kubernetes; }
certificate() { cat /identities/$2.pem /identities/$2.key > /etc/kubernetes/cert/kubelet-$1-current.pem; }
state() { echo "$3" > "/stubs/$1.$2"; }
`;
const joined = 'place; certificate client client; certificate server server';

// By hand, and as the timer does.
const look = `
set +e
/opt/k8s/bin/bake-check > /run/stages 2> /run/reason
echo $? > /run/code
/opt/k8s/bin/bake-check --quiet > /run/quiet-stages 2> /run/quiet-reason
echo $? > /run/quiet-code
ls /run | grep '^tmp' > /run/left
jq --null-input $(cd /run; for f in stages reason code quiet-stages quiet-reason quiet-code left argv; do
  echo "--rawfile $f /run/$f"; done) '$ARGS.named'`;

interface Said {
  /** What is printed by hand: the stages on stdout, the reason on stderr. */
  readonly stages: string;
  readonly reason: string;
  readonly code: number;
}

/** Runs bake-check by hand and as the timer does: both find the same, and keep the token to themselves. */
async function runCheck(prepare: string, out = template): Promise<Said> {
  const { exitCode, stdout, all } = await runInRoot(debian.folder, ['bash', '-c', install + prepare + look], {
    network: 'host',
    binds: [
      { from: out, to: '/out' },
      { from: placedIn(out), to: '/placed' },
      { from: identities, to: '/identities' },
    ],
  });
  assert.equal(exitCode, 0, all);
  const said = JSON.parse(stdout) as Record<string, string>;
  const { stages = '', reason: told = '', code = '', argv = '' } = said;
  const withoutTime = (text: string): string => text.replace(/ \d\d:\d\d:\d\d /g, ' ');
  assert.equal(said['quiet-stages'], '');
  assert.equal(withoutTime(said['quiet-reason'] ?? ''), withoutTime(told));
  assert.equal(said['quiet-code'], code);
  assert.equal(said['left'], '', 'left behind in /run');
  assert.ok(argv.includes('/stubs/systemctl ') || stages === 'failed  user-data\n', argv);
  assert.ok(!stdout.includes(fixtureToken.slice(7)), 'the token is printed, or on a command line');
  return { stages, reason: told, code: Number(code) };
}

/** What comes before the reason, which is one line; the last stage is the failed one. */
async function expectReason(prepare: string, passed: readonly string[], reason: RegExp, out = template): Promise<void> {
  const { stages: printed, reason: said, code } = await runCheck(prepare, out);
  const expected = [...passed.map((stage) => `ok      ${stage}`), `failed  ${stages[passed.length] ?? ''}`];
  assert.equal(printed, expected.map((line) => `${line}\n`).join(''), said);
  assert.match(said, reason);
  assert.equal(said.split('\n').length, 2, said);
  assert.equal(code, 1);
}

const stages = [
  'user-data',
  'containerd',
  'kube-nginx',
  'apiserver, and its certificate',
  'bootstrap token',
  'kubelet',
  'client certificate',
  'serving certificate',
  'registered as node1',
];
const before = (stage: string): string[] => stages.slice(0, stages.indexOf(stage));

function reason(name: string, test: () => Promise<void>): void {
  testUnless(check, debian.missing, name, test);
}

reason('a node that has joined: every stage by hand, and nothing from the timer', async () => {
  assert.deepEqual(await runCheck(joined), {
    stages: stages.map((stage) => `ok      ${stage}\n`).join(''),
    reason: '',
    code: 0,
  });
});

reason('joined, although its token is no more', async () => {
  known = { ...everything, token: false };
  const { code, reason: said } = await runCheck(joined);
  assert.equal(code, 0, said);
});

reason('joined, also right after a service had to be started again', async () => {
  const now = '"$(cut -d . -f 1 /proc/uptime)000000"';
  const once = `state containerd.service NRestarts 2; state containerd.service ActiveEnterTimestampMonotonic ${now}`;
  const often = `state kubelet.service NRestarts 99; state kubelet.service ActiveEnterTimestampMonotonic 1000000`;
  const { code, reason: said } = await runCheck(`${joined}; ${once}; ${often}`);
  assert.equal(code, 0, said);
});

reason('joined, though kubelet asks for no serving certificate', async () => {
  const selfSigned = 'kubelet: { config: { serverTLSBootstrap: false } }';
  const out = await compileFor(endpoint, 'self-signed', ipv4, selfSigned);
  const { code, reason: said } = await runCheck('place; certificate client client', out);
  assert.equal(code, 0, said);
});

reason('no-user-data: an image that was started with none', () =>
  expectReason('true', [], /^no-user-data: .*out\/nodes\/NAME\/user-data$/m),
);

reason('broken-user-data: cut short behind the first file', () =>
  expectReason(
    'place; rm /etc/kubernetes/bake.sha256 /etc/kubernetes/kubelet.env',
    [],
    /^broken-user-data: .* does not name \//,
  ),
);

reason('broken-user-data: a file that is not what was compiled', () =>
  expectReason('place; echo >> /etc/kubernetes/kubelet.env', [], /^broken-user-data: .*kubelet\.env: FAILED/),
);

reason('broken-user-data: cloud-init could read none of it', () =>
  expectReason(
    'mkdir -p /var/lib/cloud/instance; head -c 60 /out/nodes/node1/user-data > /var/lib/cloud/instance/user-data.txt',
    [],
    /^broken-user-data: user-data came, .*cloud-init\.log/,
  ),
);

reason('containerd-down, with the line by which it ended', () =>
  expectReason(
    `place; state containerd.service ActiveState activating; state containerd.service NRestarts 7
printf '%s\\n' 'level=fatal msg="no such plugin"' 'goroutine 1' > /stubs/journal`,
    before('containerd'),
    /^containerd-down: containerd\.service is activating and was restarted 7 times; .*journalctl -u containerd\): level=fatal msg="no such plugin"$/m,
  ),
);

reason('kube-nginx-down', () =>
  expectReason(
    `place; state kube-nginx.service ActiveState failed; echo 'nginx: [emerg] host not found' > /stubs/journal`,
    before('kube-nginx'),
    /^kube-nginx-down: kube-nginx\.service is failed .*: nginx: \[emerg\] host not found$/m,
  ),
);

reason('no-apiserver: kube-nginx takes connections, and no apiserver is behind it', async () => {
  const at = await listen(withoutUpstream);
  const out = await compileFor(at, 'without-upstream');
  const tried = `127.0.0.1:1 (Connection refused), ${at} (accepts connections)\n`;
  const text = new RegExp(`^no-apiserver: .*https://${literally(at)}, .*: ${literally(tried)}$`);
  await expectReason('place', before('apiserver, and its certificate'), text, out);
});

const literally = (text: string): string => text.replace(/[()[\].]/g, '\\$&');

testUnless(check, debian.missing ?? withoutIPv6, 'over IPv6: joined, and no-apiserver', async () => {
  const server = newApiServer();
  server.setSecureContext(identity('server'));
  const at = await listen(server, '::1');
  const out = await compileFor(at, 'over-ipv6', ipv6);
  const { code, reason: said } = await runCheck(joined, out);
  assert.equal(code, 0, said);
  await new Promise((resolve) => server.close(resolve));
  const tried = `[::1]:1 (Connection refused), ${at} (Connection refused)\n`;
  await expectReason(
    'place',
    before('apiserver, and its certificate'),
    new RegExp(`^no-apiserver: .*: ${literally(tried)}$`),
    out,
  );
});

/** What the apiserver shows -> what it is called. */
const certificates = {
  'server-of-another-ca':
    /^ca-refused: the apiserver's certificate is signed by CN=another, and this node's user-data trusts CN=kubernetes, .*Fingerprint=([0-9A-F]{2}:){31}/i,
  'server-elsewhere': /^certificate-for-other-address: .* is not for 127\.0\.0\.1, where kube-nginx listens/,
  'server-to-come':
    /^clock-behind: .* valid from Jan {2}1 00:00:00 2110 GMT, and this machine's clock says .* 20\d\d GMT; set/,
  'server-of-the-past': /^certificate-expired: .* ended on Jan {2}1 00:00:00 2011 GMT, /,
};
for (const [name, text] of Object.entries(certificates)) {
  reason(`the apiserver shows ${name}: ${/\^([a-z-]+)/.exec(text.source)?.[1] ?? ''}`, () => {
    apiServer.setSecureContext(identity(name));
    return expectReason('place', before('apiserver, and its certificate'), text);
  });
}

reason('the token goes to no server but one that its CA vouches for, whatever the system trusts', async () => {
  // kube-nginx takes another apiserver for each connection: openssl sees the right one, curl the next.
  let connections = 0;
  const alternate = () =>
    apiServer.setSecureContext(identity(connections++ % 2 === 0 ? 'server' : 'server-of-another-ca'));
  apiServer.prependListener('connection', alternate);
  try {
    const trust =
      'cp /identities/another-ca.pem /usr/local/share/ca-certificates/another.crt; update-ca-certificates > /dev/null 2>&1';
    await expectReason(`place; ${trust}`, before('bootstrap token'), /^no-apiserver: one answered a moment ago/);
    assert.equal(connections, 4, 'a look and a question, by hand and by the timer');
  } finally {
    apiServer.removeListener('connection', alternate);
  }
});

reason('token-refused', () => {
  known = { ...everything, token: false };
  return expectReason(
    'place',
    before('bootstrap token'),
    /^token-refused: .*kubectl apply -R -f out\/manifests.*bake token rotate node1/,
  );
});

reason('token-without-rights', () => {
  known = { ...everything, rbac: false };
  return expectReason('place', before('bootstrap token'), /^token-without-rights: .*out\/manifests\/rbac\.yaml$/m);
});

reason('apiserver-failing', () => {
  known = { ...everything, failing: true };
  return expectReason('place', before('bootstrap token'), /^apiserver-failing: .* HTTP status 500/);
});

reason('kubelet-down: it is up at this moment, and was started again just before', () =>
  expectReason(
    `place; state kubelet.service NRestarts 99
state kubelet.service ActiveEnterTimestampMonotonic "$(cut -d . -f 1 /proc/uptime)000000"
printf '%s\\n' 'F0802 14:12:04.000000  1 server.go:274] failed to run Kubelet' 'goroutine 1 [running]:' > /stubs/journal`,
    before('kubelet'),
    /^kubelet-down: kubelet\.service is active and was restarted 99 times; .*: F0802 .* failed to run Kubelet$/m,
  ),
);

reason('kubelet-down: a token in its log is not repeated', () =>
  expectReason(
    `place; state kubelet.service ActiveState failed; echo 'Bearer ${fixtureToken} refused' > /stubs/journal`,
    before('kubelet'),
    /: Bearer TOKEN refused$/m,
  ),
);

reason('csr-not-approved, of an apiserver that is as old as the guide', () => {
  known = { ...everything, certificatesV1: false };
  return expectReason('place', before('client certificate'), /^csr-not-approved: .*kubectl get csr/);
});

reason('serving-csr-not-approved', () =>
  expectReason(
    'place; certificate client client',
    before('serving certificate'),
    /^serving-csr-not-approved: .*system:node:node1$/m,
  ),
);

reason('client-certificate-refused', () =>
  expectReason(
    'place; certificate client client-of-another-ca; certificate server server',
    before('registered as node1'),
    /^client-certificate-refused: .*CN=system:node:node1,O=system:nodes, signed by CN=another, valid until Jan {2}1 00:00:00 2120 GMT; /,
  ),
);

reason('not-registered, with what kubelet said last', () => {
  known = { ...everything, node: false };
  return expectReason(
    `${joined}; echo 'E0802 Unable to register node' > /stubs/journal`,
    before('registered as node1'),
    /^not-registered: .* HTTP status 404 for the node node1; .*: E0802 Unable to register node$/m,
  );
});

reason('check-broken: a fault of its own is no other reason, and no success', async () => {
  const { stages: printed, reason: said, code } = await runCheck(`${joined}; rm /stubs/systemctl`);
  assert.equal(printed, 'ok      user-data\nfailed  containerd\n');
  assert.match(said, /not found\ncheck-broken: .*\n$/);
  assert.equal(code, 1);
});

reason('whoever is not root is told so', async () => {
  const asNobody = 'setpriv --reuid=nobody --clear-groups /packer/rootfs/opt/k8s/bin/bake-check';
  const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', asNobody], {
    binds: [{ from: join(template, 'packer'), to: '/packer' }],
  });
  assert.match(all, /run it with sudo/);
  assert.equal(exitCode, 2);
});

check.run();
