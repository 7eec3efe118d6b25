import type { Context } from './context.ts';
import { loadDescription, type LoadedDescription } from './load-description.ts';
import { printJson } from './print-json.ts';
import { diagnosticsAsJson, reportDiagnostics } from './report-diagnostics.ts';

/**
 * Loads a description for a command that needs its cluster, and reports what is wrong with it. With `json`, warnings
 * are left to the command.
 * @returns undefined where there is an error: the command ends with exitCodes.description
 * @throws Failure `description-unreadable`
 */
export function loadAndReport(
  file: string,
  { json }: { readonly json?: true },
  context: Context,
): LoadedDescription | undefined {
  const loaded = loadDescription(file, context);
  if (!json) reportDiagnostics(file, loaded, context);
  if (loaded.cluster !== undefined) return loaded;
  if (json) printJson({ file, good: false, diagnostics: diagnosticsAsJson(file, loaded.diagnostics) }, context);
  return undefined;
}
