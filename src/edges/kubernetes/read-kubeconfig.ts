import { readFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { formatEndpoint } from '../../cluster/format-endpoint.ts';
import { Failure } from '../../diagnostics/failure.ts';
import { readTextFile } from '../read-text-file.ts';

/** How an apiserver is reached, and as whom. */
export interface Connection {
  /** https://HOST:PORT, perhaps with a path, without a slash at its end. */
  readonly server: string;
  /** For TLS, as node:tls takes it. */
  readonly tls: {
    readonly ca?: Buffer;
    readonly cert?: Buffer;
    readonly key?: Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: false;
  };
  /** Asked for each request, since whoever writes a token's file renews it. */
  readonly token: () => string | undefined;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

interface Wanted {
  readonly kubeconfig?: string;
  readonly context?: string;
}

interface Around {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
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
          exec: z.unknown().optional(),
          'auth-provider': z.unknown().optional(),
          username: text,
          as: text,
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
 * @throws Failure `kubeconfig-unusable`
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
  return connectionOf(cluster, user);
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
  throw unusable(`${file} is no kubeconfig: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, 'correct it');
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

function connectionOf({ found: { cluster }, folder }: Entry<Cluster>, user: Entry<User>): Connection {
  if (!URL.canParse(cluster.server) || new URL(cluster.server).protocol !== 'https:') {
    throw unusable(`its server ${JSON.stringify(cluster.server)} is no https:// address`, 'correct it');
  }
  refuseUnknownWays(cluster, user.found);
  const ca = bytesOf(cluster['certificate-authority-data'], cluster['certificate-authority'], folder);
  const { user: login } = user.found;
  const cert = bytesOf(login['client-certificate-data'], login['client-certificate'], user.folder);
  const key = bytesOf(login['client-key-data'], login['client-key'], user.folder);
  return {
    server: cluster.server.replace(/\/$/, ''),
    tls: {
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
      ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false as const }),
    },
    token: tokenOf(login, user.folder),
  };
}

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api */
function connectionOfPod({ env, serviceAccount = SERVICE_ACCOUNT }: Around): Connection | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) return undefined;
  return {
    server: `https://${formatEndpoint({ host, port: Number(port) })}`,
    tls: { ca: readNamed(join(serviceAccount, 'ca.crt')) },
    token: tokenOf({ tokenFile: 'token' }, serviceAccount),
  };
}

/** As client-go has it, what is written in the kubeconfig itself goes before a file. */
function bytesOf(data: string | null | undefined, file: string | null | undefined, folder: string): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  return file ? readNamed(resolve(folder, file)) : undefined;
}

/** As client-go has it, a file of a token goes before the token. */
function tokenOf({ token, tokenFile }: User['user'], folder: string): () => string | undefined {
  if (!tokenFile) return () => token ?? undefined;
  return () => readNamed(resolve(folder, tokenFile)).toString().trim();
}

function readNamed(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw unusable(`${path}, which the login needs, cannot be read (${code})`, 'correct it');
  }
}

/** Ways to an apiserver that bake does not know are better named than left out. */
function refuseUnknownWays(cluster: Cluster['cluster'], { name, user }: User): void {
  const ways = { exec: user.exec, 'auth-provider': user['auth-provider'], username: user.username, as: user.as };
  const way = cluster['proxy-url'] ? 'proxy-url' : Object.entries(ways).find(([, value]) => value)?.[0];
  if (way === undefined) return;
  throw unusable(
    `the kubeconfig goes by ${way}, which bake does not know (user ${JSON.stringify(name)})`,
    'give it one with a client certificate or a token',
  );
}

function unusable(fact: string, remedy: string): Failure {
  return new Failure('kubeconfig-unusable', `${fact}; ${remedy}`);
}
