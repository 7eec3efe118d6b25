import { resolve } from 'node:path';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { didYouMean } from '../description/did-you-mean.ts';
import type { TokenSecret } from '../edges/kubernetes/token-secrets-api.ts';
import { readTokenStore, tokenStoreOf, updateTokenStore } from '../edges/token-store.ts';
import { textTable } from '../report/text-table.ts';
import { rotateTokens } from '../tokens/issue-tokens.ts';
import { ofCluster } from '../tokens/of-cluster.ts';
import type { TokenStore } from '../tokens/token.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { printJson } from './print-json.ts';
import { refuseFileAsNode } from './refuse-file-as-node.ts';

export interface ListOptions {
  readonly file: string;
  readonly json?: true;
  readonly cluster?: true;
  readonly kubeconfig?: string;
  readonly context?: string;
}

/**
 * Prints id, node and expiry of every token, of the cluster's too where that is wanted, and who has joined; secrets never.
 * @returns the exit code
 * @throws Failure `description-unreadable`, of the token store, or of the connection
 */
export async function listTokens(options: ListOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(options.file, options.json ? { json: true } : {}, context);
  if (loaded === undefined) return exitCodes.description;
  const kept = readTokenStore(tokenStoreOf(resolve(context.cwd, options.file)));
  const store = ofCluster(kept, loaded.cluster.controlPlane.certificateAuthority);
  // To load it takes as long as all the rest.
  const cluster = options.cluster ? await import('./cluster-tokens.ts') : undefined;
  const secrets = await cluster?.clusterTokens(options, context);
  const rows = rowsOf(store, secrets);
  if (options.json) printJson([...rows, ...[...store.joined].map((node) => ({ node, joined: true }))], context);
  else tell(rows, store, context);
  return exitCodes.done;
}

interface Row {
  readonly id: string;
  /** Undefined for a token that the file does not have: the cluster's metadata does not tell. */
  readonly node?: string;
  readonly expires?: string;
  /** Undefined where the cluster was not asked. */
  readonly where?: keyof typeof places;
}

const places = { both: 'both', file: 'only the file', cluster: 'only the cluster' } as const;

function rowsOf({ tokens }: TokenStore, secrets: ReadonlyMap<string, TokenSecret> | undefined): Row[] {
  const kept = [...tokens.values()].map(({ id, node, expires }): Row => {
    if (secrets === undefined) return { id, node, expires };
    return { id, node, expires, where: secrets.has(id) ? 'both' : 'file' };
  });
  const known = new Set(kept.map(({ id }) => id));
  const others = [...(secrets?.keys() ?? [])].filter((id) => !known.has(id));
  return [...kept, ...others.map((id): Row => ({ id, where: 'cluster' }))];
}

function tell(rows: readonly Row[], { joined }: TokenStore, { now, stdout, stderr }: Context): void {
  const marked = (expires: string): string => (new Date(expires) > now() ? expires : `${expires} (expired)`);
  const hasPlaces = rows.some(({ where }) => where !== undefined);
  const heads = ['ID', 'NODE', 'EXPIRES', ...(hasPlaces ? ['KNOWN TO'] : [])];
  const cells = rows.map(({ id, node = '', expires, where }) => [
    id,
    node,
    expires === undefined ? '' : marked(expires),
    ...(where === undefined ? [] : [places[where]]),
  ]);
  if (rows.length > 0) stdout.write(textTable(heads, cells));
  else if (joined.size === 0) stderr.write('no tokens yet; `bake compile` issues them\n');
  if (joined.size > 0)
    stderr.write(`${joined.size} ${joined.size === 1 ? 'node has' : 'nodes have'} joined, without a token\n`);
  if (rows.some(({ where }) => where === 'file')) {
    stderr.write('only the file: not applied since `bake compile`, or expired and removed by the cluster\n');
  }
  if (rows.some(({ where }) => where === 'cluster')) {
    stderr.write(
      'only the cluster: of an earlier compile, or not of this description; ' +
        'kubectl delete secret -n kube-system bootstrap-token-ID\n',
    );
  }
}

/**
 * Gives nodes new tokens; where none is named, all that have not joined.
 * @returns the exit code
 * @throws Failure `unknown-node`, or of the token store
 */
export async function rotate(
  nodes: readonly string[],
  options: { readonly file: string },
  context: Context,
): Promise<number> {
  refuseFileAsNode(nodes);
  const loaded = loadAndReport(options.file, {}, context);
  if (loaded === undefined) return exitCodes.description;

  const planned = loaded.cluster.nodes.map(({ name }) => name);
  for (const node of nodes) {
    if (planned.includes(node)) continue;
    const hint = didYouMean(node, planned) ?? `${options.file} names its nodes`;
    throw new Failure('unknown-node', `no node is called ${node}; ${hint}`, exitCodes.usage);
  }
  const chosenIn = ({ joined }: TokenStore): string[] =>
    nodes.length > 0 ? [...new Set(nodes)] : planned.filter((node) => !joined.has(node));
  const issuing = { now: context.now(), ttlSeconds: loaded.cluster.tokens.ttlSeconds, random: context.random };
  const path = tokenStoreOf(resolve(context.cwd, options.file));
  const { store, count } = await updateTokenStore(
    path,
    (kept) => {
      const before = ofCluster(kept, loaded.cluster.controlPlane.certificateAuthority);
      const chosen = chosenIn(before);
      return { ...rotateTokens(before, chosen, issuing), count: chosen.length };
    },
    context.signal,
  );
  context.stderr.write(
    count === 0
      ? 'all nodes have joined, and need no token; name those that are to be made again\n'
      : `replaced ${count} of ${store.tokens.size} tokens; \`bake compile\` writes them out\n`,
  );
  return exitCodes.done;
}
