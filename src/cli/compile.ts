import { resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { compile } from '../compile/outputs.ts';
import { sha256 } from '../cluster/sha256.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import { readTokenStore, tokenStoreOf, updateTokenStore } from '../edges/token-store.ts';
import { writeOutput } from '../edges/write-output.ts';
import { earliestExpiry, issueTokens } from '../tokens/issue-tokens.ts';
import { ofCluster } from '../tokens/of-cluster.ts';
import { tokensByNode, type TokenStore } from '../tokens/token.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import type { LoadedDescription } from './load-description.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { countFiles } from './count-files.ts';
import { printJson } from './print-json.ts';
import { diagnosticsAsJson } from './report-diagnostics.ts';
import { version } from './version.ts';

interface CompileOptions {
  readonly output: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/**
 * Writes everything that a description's workers need, or reports why not.
 * @returns the exit code
 * @throws Failure of the lock, the token store or the output folder
 */
export async function compileCommand(file: string, options: CompileOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(file, options, context);
  if (loaded === undefined) return exitCodes.description;
  await compileLoaded(file, withLockOf(loaded, loadLock(file, context)), options, context);
  return exitCodes.done;
}

/**
 * Compiles what is loaded already.
 * @param loaded with its lock
 * @throws Failure of the token store or the output folder
 */
export async function compileLoaded(
  file: string,
  { cluster, diagnostics, inputs, templates }: LoadedDescription,
  options: CompileOptions,
  context: Context,
): Promise<void> {
  const store = await keepTokens(cluster, file, options, context);
  const counted = countFiles(compile(cluster, tokensByNode(store), templates), context);
  if (options.dryRun) {
    for (const { path } of counted.files) if (!options.json) context.stdout.write(`${path}\n`);
  } else {
    const input = Object.fromEntries([...inputs].map(([name, text]) => [name, sha256(text)]));
    await writeOutput(resolve(context.cwd, options.output), counted.files, { bake: version, input }, context.signal);
  }

  const summary = {
    output: options.output,
    nodes: cluster.nodes.length,
    files: counted.count(),
    joined: store.joined.size,
    earliestTokenExpiry: earliestExpiry(store),
  };
  if (options.json)
    printJson({ file, good: true, ...summary, diagnostics: diagnosticsAsJson(file, diagnostics) }, context);
  else context.stderr.write(sentence(summary, options.dryRun === true));
}

/**
 * Keeps the tokens that live and issues the others; a node that has joined gets none. A dry run issues them too, and
 * forgets them.
 */
async function keepTokens(
  cluster: Cluster,
  file: string,
  options: CompileOptions,
  context: Context,
): Promise<TokenStore> {
  const path = tokenStoreOf(resolve(context.cwd, file));
  const names = cluster.nodes.map(({ name }) => name);
  const issuing = { now: context.now(), ttlSeconds: cluster.tokens.ttlSeconds, random: context.random };
  const issue = (store: TokenStore) =>
    issueTokens(ofCluster(store, cluster.controlPlane.certificateAuthority), names, issuing);
  const issued = options.dryRun ? issue(readTokenStore(path)) : await updateTokenStore(path, issue, context.signal);
  return issued.store;
}

interface Summary {
  readonly output: string;
  readonly nodes: number;
  readonly files: number;
  /** How many of the nodes; they have no token, and no files. */
  readonly joined: number;
  readonly earliestTokenExpiry: string | undefined;
}

function sentence({ output, nodes, files, joined, earliestTokenExpiry }: Summary, dryRun: boolean): string {
  const left = nodes - joined;
  const parts = [
    `${dryRun ? 'would write' : 'wrote'} ${output}: ${files} files for ${left} ${left === 1 ? 'node' : 'nodes'}`,
    ...(earliestTokenExpiry === undefined ? [] : [`the first token expires ${earliestTokenExpiry}`]),
    ...(joined === 0
      ? []
      : [
          `left out: ${joined} that ${joined === 1 ? 'has' : 'have'} joined (\`bake token rotate NODE\` to make one again)`,
        ]),
  ];
  return `${parts.join('; ')}\n`;
}
