import { resolve } from 'node:path';
import { didYouMean } from '../description/did-you-mean.ts';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { showable } from '../diagnostics/quote.ts';
import { diskFormat } from '../rehearse/disk-format.ts';
import { findMeans, type Means } from '../rehearse/find-means.ts';
import { rehearse, type Rehearsed } from '../rehearse/rehearse.ts';
import { textTable } from '../report/text-table.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { printJson } from './print-json.ts';
import { refuseFileAsNode } from './refuse-file-as-node.ts';

export interface RehearseOptions {
  readonly file: string;
  readonly image?: string;
  readonly output: 'table' | 'json';
  /** In seconds. */
  readonly timeout?: number;
}

/** In seconds: an emulated processor takes minutes. */
const usualTimeout = { container: 60, emulator: 600 } as const;

/**
 * Boots a node in a container or by QEMU, and tells what would happen.
 * @returns the exit code
 * @throws Failure `unknown-node`, `rehearsal-unusable`, `image-unreadable`, `image-not-baked`, `node-would-not-join`,
 *   `rehearsal-incomplete`, `output-unwritable`
 */
export async function rehearseCommand(name: string, options: RehearseOptions, context: Context): Promise<number> {
  refuseFileAsNode([name]);
  const loaded = loadAndReport(options.file, options.output === 'json' ? { json: true } : {}, context);
  if (loaded === undefined) return exitCodes.description;
  const { cluster, templates } = withLockOf(loaded, loadLock(options.file, context));
  const node = nodeOf(cluster, name, options.file);
  const image = resolve(context.cwd, options.image ?? `image/${cluster.image.name}.${cluster.image.qemu.format}`);
  // Nobody should install QEMU to hear that it is not there.
  diskFormat(image);
  const means = await findMeans(cluster.architecture, context.env);

  context.stderr.write(
    `booting ${image} as ${name}${byQemu(means)}, with a CA and a token of this rehearsal's own in place of the cluster's\n`,
  );
  const timeoutMs = (options.timeout ?? usualTimeout[means.kind]) * 1000;
  const rehearsed = await rehearse({ cluster, node, image, means, timeoutMs }, templates, context);
  const { rows, requests, seconds } = rehearsed;
  const told = { node: name, seconds, stages: rows, requests };
  if (options.output === 'table') context.stdout.write(tableOf(rows));
  refuseOthers(name, rows, told);
  if (options.output === 'json') printJson({ good: true, ...told }, context);
  const took = `the rehearsal took ${seconds.toFixed(1)} s from the start of the machine`;
  context.stderr.write(`${name} would join; ${took}\n`);
  return exitCodes.done;
}

const byQemu = (means: Means) =>
  means.kind === 'emulator' ? ` by QEMU (${means.why.split('\n')[0] ?? ''}), which may take minutes` : '';

/** @throws Failure where the node would not join, or where that was not seen */
function refuseOthers(name: string, rows: Rehearsed['rows'], told: object): void {
  const joined = rows.at(-1);
  const failed = rows.filter(({ result }) => result === 'failed');
  // An image of another description explains all the rest; else bake-check knows best.
  const reason = failed.find(({ stage }) => stage === 'image') ?? failed.at(-1);
  if (reason !== undefined) {
    throw new Failure('node-would-not-join', `${name}: ${showable(reason.what)}`, exitCodes.outside, told);
  }
  if (joined?.result !== 'ok') {
    throw new Failure('rehearsal-incomplete', `${name}: ${joined?.what ?? ''}`, exitCodes.outside, told);
  }
}

function nodeOf({ nodes }: Cluster, name: string, file: string): Node {
  const node = nodes.find((planned) => planned.name === name);
  if (node !== undefined) return node;
  const names = nodes.map((planned) => planned.name);
  const hint = didYouMean(name, names) ?? `${file} names its nodes`;
  throw new Failure('unknown-node', `no node is called ${name}; ${hint}`, exitCodes.usage);
}

function tableOf(rows: Rehearsed['rows']): string {
  const cells = rows.map(({ stage, result, what }, index) => [
    rows[index - 1]?.stage === stage ? '' : stage,
    result,
    showable(what),
  ]);
  return textTable(['STAGE', 'RESULT', 'WHAT'], cells);
}
