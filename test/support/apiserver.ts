import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { controlPlanePrograms, untilHealthy, type Flags } from './control-plane-programs.ts';
import { freePort } from './free-port.ts';
import { kubeconfigOf } from './kubeconfig.ts';
import { makeIdentities } from './make-identities.ts';

/** One apiserver on loopback, with its etcd, and a kube-controller-manager that signs, and approves as RBAC lets it. */
export interface ApiServer {
  readonly server: string;
  /** Of another apiserver on the same etcd, which has to be started. */
  readonly secondServer: string;
  /** NAME.pem and NAME.key; ca is who signs. */
  readonly identities: string;
  /** Of an administrator, by a token. */
  readonly kubeconfig: string;
  /** Of the service account of manifests/approver, by a token. */
  readonly approverKubeconfig: string;
  /** Rejects unless the answer is 2xx. */
  call(method: string, path: string, body?: object, as?: Login): Promise<unknown>;
  /** Kills one of its programs. */
  kill(program: Program): Promise<void>;
  /** Starts one that was killed. */
  start(program: Program): Promise<void>;
  readonly end: () => Promise<void>;
}

/** Who sends something: whoever has a token, or whom an administrator impersonates; the administrator where nobody is said. */
export type Login = { readonly bearer: string } | { readonly user: string; readonly groups: readonly string[] };

type Program = 'etcd' | 'kube-apiserver' | 'second-apiserver' | 'kube-controller-manager';

export type Release = '1.18.6' | '1.37.2';

/** What a release needs besides; 1.18 also listens on ports without TLS unless told not to. */
function flagsOf(
  release: Release,
  identities: string,
): { readonly apiServer: Flags; readonly controllerManager: Flags } {
  if (release === '1.18.6') return { apiServer: { 'insecure-port': 0 }, controllerManager: { port: 0 } };
  const apiServer = {
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': join(identities, 'server.key'),
  };
  return { apiServer, controllerManager: {} };
}

/**
 * @param parts folders of the part control-plane-RELEASE, and of debian-12
 * @param folder a new one
 * @param others of kube-apiserver, besides
 */
export async function startApiServer(
  parts: { readonly controlPlane: string; readonly debian: string },
  folder: string,
  release: Release,
  others: Flags = {},
): Promise<ApiServer> {
  mkdirSync(folder, { recursive: true });
  const identities = join(folder, 'identities');
  await makeIdentities(parts.debian, identities);
  const more = flagsOf(release, identities);
  const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
  const secondPort = await freePort();
  const server = `https://127.0.0.1:${port}`;
  const secondServer = `https://127.0.0.1:${secondPort}`;
  const token = randomBytes(16).toString('hex');
  const approverToken = randomBytes(16).toString('hex');
  const approver = 'system:serviceaccount:kube-system:bake-approver,approver,"system:serviceaccounts"';
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n${approverToken},${approver}\n`);
  const kubeconfig = join(folder, 'admin.kubeconfig');
  const approverKubeconfig = join(folder, 'approver.kubeconfig');
  const ca = join(identities, 'ca.pem');
  writeFileSync(kubeconfig, kubeconfigOf(server, ca, { token }));
  writeFileSync(approverKubeconfig, kubeconfigOf(server, ca, { token: approverToken }));

  const etcd = `http://127.0.0.1:${etcdPort}`;
  const apiServer: Flags = {
    'bind-address': '127.0.0.1',
    'secure-port': port,
    'tls-cert-file': join(identities, 'server.pem'),
    'tls-private-key-file': join(identities, 'server.key'),
    'client-ca-file': ca,
    'enable-bootstrap-token-auth': true,
    'token-auth-file': join(folder, 'tokens.csv'),
    'authorization-mode': 'Node,RBAC',
    'service-account-key-file': join(identities, 'server.pem'),
    'service-cluster-ip-range': '10.254.0.0/16',
    'etcd-servers': etcd,
    ...more.apiServer,
    ...others,
  };
  const flags: Readonly<Record<Program, Flags>> = {
    etcd: {
      'data-dir': join(folder, 'etcd'),
      'listen-client-urls': etcd,
      'advertise-client-urls': etcd,
      'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
      'unsafe-no-fsync': true,
    },
    'kube-apiserver': apiServer,
    'second-apiserver': { ...apiServer, 'secure-port': secondPort },
    'kube-controller-manager': {
      kubeconfig,
      'cluster-signing-cert-file': ca,
      'cluster-signing-key-file': join(identities, 'ca.key'),
      controllers: 'csrsigning,csrapproving',
      'leader-elect': false,
      'secure-port': 0,
      ...more.controllerManager,
    },
  };
  // --pdeathsig: a test that is killed leaves nothing behind.
  const programs = controlPlanePrograms(['setpriv', '--pdeathsig', 'KILL'], parts.controlPlane, folder);
  const start = (program: Program): void =>
    programs.start(program === 'second-apiserver' ? 'kube-apiserver' : program, flags[program], program);
  for (const program of ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const) start(program);

  const dispatcher = new Agent({ connect: { ca: readFileSync(ca) } });
  const callAt = async (at: string, ...[method, path, body, as]: Parameters<ApiServer['call']>): Promise<unknown> => {
    const { statusCode, body: answer } = await request(`${at}${path}`, {
      dispatcher,
      method: method,
      headers: {
        authorization: `Bearer ${as !== undefined && 'bearer' in as ? as.bearer : token}`,
        'content-type': 'application/json',
        ...(as !== undefined && 'user' in as && { 'impersonate-user': as.user, 'impersonate-group': [...as.groups] }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode >= 300) throw new Error(`${method} ${path}: HTTP ${statusCode} ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
  };
  const call: ApiServer['call'] = (...asked) => callAt(server, ...asked);
  const healthy = (program: Program) =>
    untilHealthy(
      () => callAt(program === 'second-apiserver' ? secondServer : server, 'GET', '/healthz').catch(String),
      () => readFileSync(join(folder, 'kube-apiserver.log'), 'utf8'),
    );
  await healthy('kube-apiserver');
  return {
    server,
    secondServer,
    identities,
    kubeconfig,
    approverKubeconfig,
    call,
    kill: (program) => programs.kill(program),
    start: async (program) => {
      start(program);
      await healthy(program);
    },
    end: async () => {
      await programs.end();
      await dispatcher.destroy();
    },
  };
}
