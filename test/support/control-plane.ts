import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { CommandResult } from '../parts/parts.ts';
import { controlPlanePrograms, untilHealthy, type Flags } from './control-plane-programs.ts';
import { makeClusterIdentities } from './make-identities.ts';
import type { PrivateNetwork } from './private-network.ts';

/** Where the apiservers listen, on the bridge of their nodes; prefix 24. */
export const apiServerAddresses = ['192.168.31.11', '192.168.31.12', '192.168.31.13'];

/** etcd, three kube-apiservers and a kube-controller-manager, which signs by the CA of the test. */
export interface ControlPlane {
  /** NAME.pem and NAME.key of ca, kubernetes, admin and kube-controller-manager. */
  readonly identities: string;
  /** What each program has written, NAME.log. */
  readonly logs: string;
  /** Runs kubectl as admin; it does not reject. */
  kubectl(argv: readonly string[], input?: string): Promise<CommandResult>;
  /** Sends a signal to the apiserver at an address: SIGSTOP freezes it, while the kernel goes on to accept for it. */
  signal(address: string, signal: NodeJS.Signals): void;
  /** Sends a signal to kube-controller-manager, which approves, signs, and says which nodes are no longer ready. */
  signalManager(signal: NodeJS.Signals): void;
  /** Starts the apiserver at an address again, and waits until it is healthy. */
  restart(address: string): Promise<void>;
  readonly end: () => Promise<void>;
}

/**
 * Starts what the guide starts on its masters, with the flags by which it shows to nodes.
 * @param parts folders of the parts control-plane-1.18.6 and debian-12
 * @param folder a new one, for certificates, data and logs
 */
export async function startControlPlane(
  network: PrivateNetwork,
  parts: { readonly controlPlane: string; readonly debian: string },
  folder: string,
): Promise<ControlPlane> {
  const identities = join(folder, 'identities');
  const logs = join(folder, 'logs');
  mkdirSync(logs, { recursive: true });
  await makeClusterIdentities(parts.debian, identities, apiServerAddresses);
  for (const name of ['admin', 'kube-controller-manager']) writeKubeconfig(identities, name);
  const admin = join(identities, 'admin.kubeconfig');

  const programs = controlPlanePrograms(network.enter, parts.controlPlane, logs);
  const kubectl = async (argv: readonly string[], input = ''): Promise<CommandResult> => {
    const options = { all: true, reject: false, input, env: { HOME: folder } } as const;
    const command = [join(parts.controlPlane, 'kubectl'), `--kubeconfig=${admin}`, '--request-timeout=30s'];
    const { exitCode, stdout, stderr, all } = await execa(options)`${network.enter} ${command} ${argv}`;
    return { exitCode, stdout, stderr, all };
  };

  const apiServer = (address: string) => `kube-apiserver-${address}`;
  const startApiServer = (address: string) =>
    programs.start('kube-apiserver', apiServerFlags(identities, address), apiServer(address));
  const apiServerUp = (address: string) =>
    untilHealthy(
      async () => (await kubectl([`--server=https://${address}:6443`, 'get', '--raw=/healthz'])).all,
      () => readFileSync(join(logs, `${apiServer(address)}.log`), 'utf8'),
    );

  programs.start('etcd', etcdFlags(identities, join(folder, 'etcd')));
  for (const address of apiServerAddresses) startApiServer(address);
  for (const address of apiServerAddresses) await apiServerUp(address);
  programs.start('kube-controller-manager', controllerManagerFlags(identities));

  return {
    identities,
    logs,
    kubectl,
    signal: (address, signal) => programs.signal(apiServer(address), signal),
    signalManager: (signal) => programs.signal('kube-controller-manager', signal),
    restart(address) {
      startApiServer(address);
      return apiServerUp(address);
    },
    end: programs.end,
  };
}

function certificate(identities: string, name: string): { pem: string; key: string } {
  return { pem: join(identities, `${name}.pem`), key: join(identities, `${name}.key`) };
}

function etcdFlags(identities: string, data: string): Flags {
  const { pem, key } = certificate(identities, 'etcd');
  const client = 'https://127.0.0.1:2379';
  return {
    'data-dir': data,
    'cert-file': pem,
    'key-file': key,
    'trusted-ca-file': certificate(identities, 'ca').pem,
    'client-cert-auth': true,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': 'http://127.0.0.1:2380',
    // A test's data need not outlive a crash.
    'unsafe-no-fsync': true,
  };
}

function apiServerFlags(identities: string, address: string): Flags {
  const ca = certificate(identities, 'ca').pem;
  const { pem, key } = certificate(identities, 'kubernetes');
  return {
    'advertise-address': address,
    'bind-address': address,
    'secure-port': 6443,
    // Three of them are on one machine, which has one 127.0.0.1:8080.
    'insecure-port': 0,
    'tls-cert-file': pem,
    'tls-private-key-file': key,
    'client-ca-file': ca,
    'anonymous-auth': false,
    'enable-bootstrap-token-auth': true,
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'service-account-key-file': ca,
    'service-cluster-ip-range': '10.254.0.0/16',
    'allow-privileged': true,
    'etcd-servers': 'https://127.0.0.1:2379',
    'etcd-cafile': ca,
    'etcd-certfile': pem,
    'etcd-keyfile': key,
    'kubelet-certificate-authority': ca,
    'kubelet-client-certificate': pem,
    'kubelet-client-key': key,
    // The guide's masters find nodes by name, in /etc/hosts.
    'kubelet-preferred-address-types': 'InternalIP',
  };
}

function controllerManagerFlags(identities: string): Flags {
  const ca = certificate(identities, 'ca');
  return {
    kubeconfig: join(identities, 'kube-controller-manager.kubeconfig'),
    port: 0,
    'secure-port': 0,
    // One that a test has stopped for a while would end for want of its lease.
    'leader-elect': false,
    'cluster-signing-cert-file': ca.pem,
    'cluster-signing-key-file': ca.key,
    'experimental-cluster-signing-duration': '876000h',
    'root-ca-file': ca.pem,
    'service-account-private-key-file': ca.key,
    'use-service-account-credentials': true,
    controllers: '*,bootstrapsigner,tokencleaner',
    'allocate-node-cidrs': true,
    'cluster-cidr': '172.30.0.0/16',
    'service-cluster-ip-range': '10.254.0.0/16',
  };
}

/** NAME.kubeconfig of the certificate NAME, for the first apiserver. */
function writeKubeconfig(identities: string, name: string): void {
  const { pem, key } = certificate(identities, name);
  const server = `https://${apiServerAddresses[0] ?? ''}:6443`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'kubernetes', cluster: { server, 'certificate-authority': certificate(identities, 'ca').pem } }],
    users: [{ name, user: { 'client-certificate': pem, 'client-key': key } }],
    contexts: [{ name: 'default', context: { cluster: 'kubernetes', user: name } }],
    'current-context': 'default',
  };
  writeFileSync(join(identities, `${name}.kubeconfig`), JSON.stringify(config));
}
