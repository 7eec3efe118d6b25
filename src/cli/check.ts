import { exitCodes } from '../diagnostics/failure.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { printJson } from './print-json.ts';
import { diagnosticsAsJson } from './report-diagnostics.ts';

/** Reports every mistake in a description; the exit code says whether there is one. */
export function check(file: string, options: { readonly json?: true }, context: Context): number {
  const loaded = loadAndReport(file, options, context);
  if (loaded === undefined) return exitCodes.description;
  const { cluster, diagnostics } = loaded;
  if (options.json) printJson({ file, good: true, diagnostics: diagnosticsAsJson(file, diagnostics) }, context);
  else if (diagnostics.length === 0) {
    const { length } = cluster.nodes;
    context.stderr.write(`${file}: ${length} ${length === 1 ? 'node' : 'nodes'}, no mistakes\n`);
  }
  return exitCodes.done;
}
