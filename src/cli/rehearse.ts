import { resolve } from 'node:path';
import { didYouMean } from '../description/did-you-mean.ts';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { showable } from '../diagnostics/quote.ts';
import { findPrograms } from '../rehearse/find-programs.ts';
import { rehearse, type Rehearsed } from '../rehearse/rehearse.ts';
import { textTable } from '../report/text-table.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { printJson } from './print-json.ts';

export interface RehearseOptions {
  readonly file: string;
  readonly image?: string;
  readonly output: 'table' | 'json';
  /** In seconds. */
  readonly timeout: number;
}

/**
 * Boots a node in a container, and tells what would happen.
 * @returns the exit code
 * @throws Failure `unknown-node`, `rehearsal-unusable`, `image-unreadable`, `image-not-baked`, `node-would-not-join`
 */
export async function rehearseCommand(name: string, options: RehearseOptions, context: Context): Promise<number> {
  const loaded = loadAndReport(options.file, {}, context);
  if (loaded === undefined) return exitCodes.description;
  const { cluster, templates } = withLockOf(loaded, loadLock(options.file, context));
  const node = nodeOf(cluster, name, options.file);
  await findPrograms(cluster.architecture, context.env);

  const image = resolve(context.cwd, options.image ?? `image/${cluster.image.name}.${cluster.image.qemu.format}`);
  context.stderr.write(
    `booting ${image} as ${name}, with a CA and a token of this rehearsal's own in place of the cluster's\n`,
  );
  const rehearsed = await rehearse({ cluster, node, image, timeoutMs: options.timeout * 1000 }, templates, context);
  const joined = rehearsed.rows.at(-1);
  const failed = rehearsed.rows.filter(({ result }) => result === 'failed');
  const good = failed.length === 0 && joined?.result === 'ok';
  tell(name, rehearsed, good, options, context);
  if (good) return exitCodes.done;
  if (failed.length === 0) throw new Failure('rehearsal-incomplete', `${name}: ${joined?.what ?? ''}`);
  // An image of another description explains all the rest; else bake-check knows best.
  const reason = failed.find(({ stage }) => stage === 'image') ?? failed.at(-1);
  throw new Failure('node-would-not-join', `${name}: ${showable(reason?.what ?? '')}`);
}

function nodeOf({ nodes }: Cluster, name: string, file: string): Node {
  const node = nodes.find((planned) => planned.name === name);
  if (node !== undefined) return node;
  const names = nodes.map((planned) => planned.name);
  const hint = didYouMean(name, names) ?? `${file} names its nodes`;
  throw new Failure('unknown-node', `no node is called ${name}; ${hint}`, exitCodes.usage);
}

function tell(
  node: string,
  { rows, requests, seconds }: Rehearsed,
  good: boolean,
  { output }: RehearseOptions,
  context: Context,
): void {
  if (output === 'json') {
    printJson({ good, node, seconds, stages: rows, requests }, context);
    return;
  }
  const cells = rows.map(({ stage, result, what }, index) => [
    rows[index - 1]?.stage === stage ? '' : stage,
    result,
    showable(what),
  ]);
  context.stdout.write(textTable(['STAGE', 'RESULT', 'WHAT'], cells));
  if (good)
    context.stderr.write(
      `${node} would join; the rehearsal took ${seconds.toFixed(1)} s from the start of the container\n`,
    );
}
