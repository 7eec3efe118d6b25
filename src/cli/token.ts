import { resolve } from 'node:path';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { didYouMean } from '../description/did-you-mean.ts';
import { readTokenStore, tokenStoreOf, updateTokenStore } from '../edges/token-store.ts';
import { textTable } from '../report/text-table.ts';
import { rotateTokens } from '../tokens/issue-tokens.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { readDescriptionText } from './load-description.ts';
import { printJson } from './print-json.ts';

/**
 * Prints id, node and expiry of every token; secrets never.
 * @throws Failure `description-unreadable`, or of the token store
 */
export function listTokens(options: { readonly file: string; readonly json?: true }, context: Context): void {
  const store = readTokenStore(tokenStoreOf(resolve(context.cwd, options.file)));
  // A slip in the name must not look like a cluster without tokens.
  if (store.size === 0) readDescriptionText(options.file, context);
  const rows = [...store.values()].map(({ id, node, expires }) => ({ id, node, expires }));
  if (options.json) {
    printJson(rows, context);
    return;
  }
  if (rows.length === 0) {
    context.stderr.write('no tokens yet; `bake compile` issues them\n');
    return;
  }
  const marked = (expires: string): string => (new Date(expires) > context.now() ? expires : `${expires} (expired)`);
  const cells = rows.map(({ id, node, expires }) => [id, node, marked(expires)]);
  context.stdout.write(textTable(['ID', 'NODE', 'EXPIRES'], cells));
}

/**
 * Gives nodes new tokens, all of them when none is named.
 * @returns the exit code
 * @throws Failure `unknown-node`, or of the token store
 */
export async function rotate(
  nodes: readonly string[],
  options: { readonly file: string },
  context: Context,
): Promise<number> {
  const loaded = loadAndReport(options.file, {}, context);
  if (loaded === undefined) return exitCodes.description;

  const planned = loaded.cluster.nodes.map(({ name }) => name);
  for (const node of nodes) {
    if (planned.includes(node)) continue;
    const hint = didYouMean(node, planned) ?? `${options.file} names its nodes`;
    throw new Failure('unknown-node', `no node is called ${node}; ${hint}`, exitCodes.usage);
  }
  const chosen = nodes.length === 0 ? planned : [...new Set(nodes)];
  const issuing = { now: context.now(), ttlSeconds: loaded.cluster.tokens.ttlSeconds, random: context.random };
  const path = tokenStoreOf(resolve(context.cwd, options.file));
  const { store } = await updateTokenStore(path, (before) => rotateTokens(before, chosen, issuing), context.signal);
  context.stderr.write(`replaced ${chosen.length} of ${store.size} tokens; \`bake compile\` writes them out\n`);
  return exitCodes.done;
}
