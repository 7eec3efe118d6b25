import { basename, dirname, resolve } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { checkUserDataSize } from '../compile/check-user-data-size.ts';
import type { ReadFile } from '../description/inputs.ts';
import { namedFiles, readMeaning, readWritten } from '../description/read-description.ts';
import { Failure } from '../diagnostics/failure.ts';
import { locate, type LocatedDiagnostic } from '../diagnostics/locate.ts';
import { readPackageFiles } from '../edges/read-package-files.ts';
import { readTextFile } from '../edges/read-text-file.ts';
import { Templates } from '../templates/templates.ts';
import type { Context } from './context.ts';

/** What was found in a description. */
export interface Findings {
  readonly text: string;
  readonly diagnostics: readonly LocatedDiagnostic[];
}

export interface LoadedDescription extends Findings {
  readonly cluster: Cluster;
  /** Contents of the description and of the files that it names, by name. */
  readonly inputs: ReadonlyMap<string, string>;
  /** The package's, which the cluster was tried with. */
  readonly templates: Templates;
}

/**
 * Reads a description, the files that it names, and what both mean.
 * @throws Failure `description-unreadable`
 */
export function loadDescription(
  file: string,
  context: Context,
): LoadedDescription | (Findings & { readonly cluster: undefined }) {
  const path = resolve(context.cwd, file);
  const text = readDescriptionText(file, context);
  const failed = (diagnostics: readonly LocatedDiagnostic[]) => ({ text, cluster: undefined, diagnostics });

  const written = readWritten(text);
  if (written.kind === 'bad') return failed(written.diagnostics);
  const { spec, document, lines } = written.value;
  const files = new Map<string, ReadFile>(
    namedFiles(spec).map((name) => [name, readTextFile(resolve(dirname(path), name))]),
  );
  const meaning = readMeaning(written.value, { files, now: context.now() });
  if (meaning.kind === 'bad') return failed(meaning.diagnostics);
  const templates = new Templates(readPackageFiles(context.packageRoot));
  const tooLong = locate(checkUserDataSize(meaning.value, templates), document, lines);
  if (tooLong.length > 0) return failed([...meaning.warnings, ...tooLong]);

  const inputs = new Map([[basename(path), text]]);
  for (const [name, content] of files) if (content.kind === 'text') inputs.set(name, content.text);
  return { text, cluster: meaning.value, diagnostics: meaning.warnings, inputs, templates };
}

/** @throws Failure `description-unreadable` */
export function readDescriptionText(file: string, context: Context): string {
  const read = readTextFile(resolve(context.cwd, file));
  if (read.kind === 'text') return read.text;
  const remedy =
    read.reason === 'does not exist'
      ? '`bake init` writes a description to start from'
      : 'name a description, which is a file of YAML';
  throw new Failure('description-unreadable', `${file} ${read.reason}; ${remedy}`);
}
