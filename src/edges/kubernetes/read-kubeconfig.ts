import { readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { formatEndpoint } from '../../cluster/format-endpoint.ts';
import { Failure } from '../../diagnostics/failure.ts';
import { environmentProxies, hostOf, isHttpUrl, type ProxyFor } from '../environment-proxies.ts';
import { readTextFile } from '../read-text-file.ts';
import type { Connection, Login } from './connection.ts';
import { ExecPlugin, execShape, type PluginSurroundings } from './exec-plugin.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const NO_ACCOUNT =
  'a Pod without a kubeconfig logs in by its service account, unless automountServiceAccountToken is false';

interface Wanted {
  readonly kubeconfig?: string;
  readonly context?: string;
}

interface Around extends PluginSurroundings {
  /** Other than usual in a test. */
  readonly serviceAccount?: string;
}

const text = z.string().min(1).nullish();

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/; what bake has no use for is passed over. */
const kubeconfigShape = z.object({
  'current-context': z.string().nullish(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          'certificate-authority': text,
          'certificate-authority-data': text,
          'tls-server-name': text,
          'insecure-skip-tls-verify': z.boolean().nullish(),
          'proxy-url': text,
          extensions: z.array(z.object({ name: z.string(), extension: z.unknown() })).nullish(),
        }),
      }),
    )
    .nullish(),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }))
    .nullish(),
  users: z
    .array(
      z.object({
        name: z.string(),
        user: z.object({
          'client-certificate': text,
          'client-certificate-data': text,
          'client-key': text,
          'client-key-data': text,
          token: text,
          tokenFile: text,
          exec: execShape.nullish(),
          'auth-provider': z.unknown().optional(),
          username: text,
          as: text,
          'as-uid': text,
          'as-groups': z.array(z.string()).nullish(),
          'as-user-extra': z.record(z.string(), z.array(z.string())).nullish(),
        }),
      }),
    )
    .nullish(),
});

type Kubeconfig = z.infer<typeof kubeconfigShape>;

/**
 * Reads the kubeconfig that kubectl would: the file that is named, or those of $KUBECONFIG, or ~/.kube/config; in a Pod that
 * has none, what its service account gives. Of several files the first that says something is right, and those of
 * $KUBECONFIG that do not exist are passed over.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 * @throws Failure `kubeconfig-unusable`, `proxy-unusable`
 */
export function readKubeconfig(wanted: Wanted, around: Around): Connection {
  const files = filesOf(wanted, around).flatMap((file) => readOne(file, wanted.kubeconfig !== undefined));
  if (files.length === 0) {
    const inPod = wanted.context === undefined ? connectionOfPod(around) : undefined;
    if (inPod !== undefined) return inPod;
    throw unusable('there is no kubeconfig', 'name one with --kubeconfig or $KUBECONFIG');
  }
  const contextName = wanted.context ?? firstOf(files, ({ config }) => config['current-context'] ?? undefined);
  if (contextName === undefined) throw unusable('the kubeconfig names no current context', 'name one with --context');
  const { context } = find(files, 'context', contextName, ({ contexts }) => contexts).found;
  const cluster = find(files, 'cluster', context.cluster, ({ clusters }) => clusters);
  const user = find(files, 'user', context.user, ({ users }) => users);
  return connectionOf(cluster, user, around);
}

interface ReadKubeconfigFile {
  readonly folder: string;
  readonly config: Kubeconfig;
}

function filesOf({ kubeconfig }: Wanted, { env, cwd }: Around): string[] {
  if (kubeconfig !== undefined) return [resolve(cwd, kubeconfig)];
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((name) => name !== '');
  if (named.length > 0) return named.map((name) => resolve(cwd, name));
  return env['HOME'] === undefined ? [] : [join(env['HOME'], '.kube/config')];
}

function readOne(file: string, needed: boolean): ReadKubeconfigFile[] {
  const read = readTextFile(file);
  if (read.kind === 'failed') {
    if (!needed && read.reason === 'does not exist') return [];
    throw unusable(`${file} ${read.reason}`, 'name a kubeconfig with --kubeconfig or $KUBECONFIG');
  }
  const parsed = kubeconfigShape.safeParse(parseYaml(read.text));
  if (parsed.success) return [{ folder: dirname(file), config: parsed.data }];
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw unusable(`${file} is no kubeconfig: ${where}${issue?.message ?? ''}`, 'correct it, or name another file');
}

/** What is no YAML is no kubeconfig; the parser's own message may quote a secret. */
function parseYaml(source: string): unknown {
  try {
    return parse(source);
  } catch {
    return undefined;
  }
}

function firstOf<T>(
  files: readonly ReadKubeconfigFile[],
  get: (file: ReadKubeconfigFile) => T | undefined,
): T | undefined {
  return files.map(get).find((value) => value !== undefined && value !== '');
}

/** The first entry of a name, and the folder that its paths start from. */
function find<T extends { readonly name: string }>(
  files: readonly ReadKubeconfigFile[],
  what: string,
  name: string,
  get: (config: Kubeconfig) => readonly T[] | null | undefined,
): { readonly found: T; readonly folder: string } {
  const entry = firstOf(files, ({ folder, config }) => {
    const found = get(config)?.find((each) => each.name === name);
    return found && { found, folder };
  });
  if (entry === undefined) throw unusable(`the kubeconfig has no ${what} ${JSON.stringify(name)}`, 'correct it');
  return entry;
}

type Cluster = NonNullable<Kubeconfig['clusters']>[number];
type User = NonNullable<Kubeconfig['users']>[number];
interface Entry<T> {
  readonly found: T;
  readonly folder: string;
}

function connectionOf(cluster: Entry<Cluster>, user: Entry<User>, around: Around): Connection {
  const { server, 'proxy-url': proxy } = cluster.found.cluster;
  if (!URL.canParse(server) || new URL(server).protocol !== 'https:') {
    throw unusable(`its server ${JSON.stringify(server)} is no https:// address`, 'correct it');
  }
  // It may hold a password, so it is not shown.
  if (proxy && !isHttpUrl(proxy)) throw unusable('its proxy-url is no http:// or https:// address', 'correct it');
  refuseUnknownWays(user.found);
  const { user: login } = user.found;
  const files = (): Login => filesOfLogin(cluster, user);
  const { ca } = files().tls;
  return {
    servers: [server.replace(/\/$/, '')],
    proxyFor: proxy ? () => proxy : proxiesOf(around),
    ...(login.exec && !login.token && !login.tokenFile
      ? byPlugin(
          new ExecPlugin(login.exec, { folder: user.folder, cluster: tellCluster(cluster.found, ca) }, around),
          files,
        )
      : { login: files, forget: () => undefined }),
  };
}

/** What stands in the kubeconfig and the files that it names; that is read each time, since whoever writes them renews them. */
function filesOfLogin(
  { found: { cluster }, folder }: Entry<Cluster>,
  { found: { user }, ...from }: Entry<User>,
): Login {
  const ca = bytesOf(cluster['certificate-authority-data'], cluster['certificate-authority'], folder);
  const cert = bytesOf(user['client-certificate-data'], user['client-certificate'], from.folder);
  const key = bytesOf(user['client-key-data'], user['client-key'], from.folder);
  // As client-go has it, a file of a token goes before the token.
  const token = user.tokenFile ? readNamed(resolve(from.folder, user.tokenFile)).toString().trim() : user.token;
  return {
    headers: { ...bearer(token), ...impersonation(user) },
    tls: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
      ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false as const }),
    },
  };
}

/** With what a plugin gives on top of it. */
function byPlugin(plugin: ExecPlugin, files: () => Login): Pick<Connection, 'login' | 'forget'> {
  const given = new WeakMap<Login, Awaited<ReturnType<ExecPlugin['credential']>>>();
  return {
    login: async (signal) => {
      const credential = await plugin.credential(signal);
      const { token, ...certificate } = credential;
      const { headers, tls } = files();
      const login = { headers: { ...headers, ...bearer(token) }, tls: { ...tls, ...certificate } };
      given.set(login, credential);
      return login;
    },
    forget: (login) => {
      const credential = given.get(login);
      if (credential !== undefined) plugin.forget(credential);
    },
  };
}

/** https://kubernetes.io/docs/reference/config-api/client-authentication.v1/#client-authentication-k8s-io-v1-Cluster */
function tellCluster({ cluster }: Cluster, ca: Buffer | undefined): object {
  const config = cluster.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension;
  const { server, 'tls-server-name': name, 'insecure-skip-tls-verify': isInsecure, 'proxy-url': proxy } = cluster;
  return {
    server,
    ...(name && { 'tls-server-name': name }),
    ...(isInsecure && { 'insecure-skip-tls-verify': true }),
    ...(ca && { 'certificate-authority-data': ca.toString('base64') }),
    ...(proxy && { 'proxy-url': proxy }),
    ...(config !== undefined && { config }),
  };
}

function bearer(token: string | null | undefined): { authorization?: string } {
  return token ? { authorization: `Bearer ${token}` } : {};
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: User['user']): Record<string, string | string[]> {
  const extra = Object.entries(user['as-user-extra'] ?? {});
  return {
    ...(user.as && { 'impersonate-user': user.as }),
    ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
    ...(user['as-groups']?.length && { 'impersonate-group': user['as-groups'] }),
    ...Object.fromEntries(extra.map(([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, values])),
  };
}

/** As in Go, who is on this machine is reached without a proxy. */
function proxiesOf({ env }: Around): ProxyFor {
  const proxyFor = environmentProxies(env);
  return (place) => (/^(localhost|127(\.\d+){3}|::1)$/.test(hostOf(place)) ? undefined : proxyFor(place));
}

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api */
function connectionOfPod(around: Around): Connection | undefined {
  const { env, serviceAccount = SERVICE_ACCOUNT } = around;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) return undefined;
  const read = (name: string): Buffer => readNamed(join(serviceAccount, name), NO_ACCOUNT);
  const login = (): Login => ({ headers: bearer(read('token').toString().trim()), tls: { ca: read('ca.crt') } });
  login();
  return {
    servers: [`https://${formatEndpoint({ host, port: Number(port) })}`],
    proxyFor: proxiesOf(around),
    login,
    forget: () => undefined,
  };
}

/** As client-go has it, what is written in the kubeconfig itself goes before a file. */
function bytesOf(data: string | null | undefined, file: string | null | undefined, folder: string): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  return file ? readNamed(resolve(folder, file)) : undefined;
}

function readNamed(path: string, remedy = 'correct it'): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw unusable(`${path}, which the login needs, cannot be read (${code})`, remedy);
  }
}

/** Ways to log in that bake does not know are better named than left out. */
function refuseUnknownWays({ name, user }: User): void {
  if (!user.as && (user['as-uid'] || user['as-groups']?.length || user['as-user-extra'])) {
    throw unusable(`its user ${JSON.stringify(name)} is to be seen as a group or uid of nobody`, 'say who with `as`');
  }
  const ways = { 'auth-provider': user['auth-provider'], username: user.username };
  const way = Object.entries(ways).find(([, value]) => value)?.[0];
  if (way === undefined) return;
  throw unusable(
    `the kubeconfig goes by ${way}, which Kubernetes has given up (user ${JSON.stringify(name)})`,
    'give it one with a client certificate, a token or an exec plugin',
  );
}

function unusable(fact: string, remedy: string): Failure {
  return new Failure('kubeconfig-unusable', `${fact}; ${remedy}`);
}
