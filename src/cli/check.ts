import { exitCodes } from '../diagnostics/failure.ts';
import { readPackageFiles } from '../edges/read-package-files.ts';
import { Templates } from '../templates/templates.ts';
import type { Context } from './context.ts';
import { loadDescription } from './load-description.ts';
import { printJson } from './print-json.ts';
import { diagnosticsAsJson, reportDiagnostics } from './report-diagnostics.ts';

/** Reports every mistake in a description; the exit code says whether there is one. */
export function check(file: string, options: { readonly json?: true }, context: Context): number {
  const templates = new Templates(readPackageFiles(context.packageRoot));
  const loaded = loadDescription(file, templates, context);
  const good = loaded.cluster !== undefined;
  if (options.json) {
    printJson({ file, good, diagnostics: diagnosticsAsJson(file, loaded.diagnostics) }, context);
  } else {
    reportDiagnostics(file, loaded, context);
    if (loaded.cluster !== undefined && loaded.diagnostics.length === 0) {
      const { length } = loaded.cluster.nodes;
      context.stderr.write(`${file}: ${length} ${length === 1 ? 'node' : 'nodes'}, no mistakes\n`);
    }
  }
  return good ? exitCodes.done : exitCodes.description;
}
