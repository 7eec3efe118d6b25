import { codes } from './codes.ts';
import type { LocatedDiagnostic, Place } from './locate.ts';
import type { Paint } from './paint.ts';
import { showable, withoutSecrets } from './quote.ts';

/**
 * Prints diagnostics the way compilers do:
 *
 *     cluster.yaml:12:9 error duplicate-node-name: …
 *        12 |   - name: node1
 *           |           ^^^^^
 */
export function renderDiagnostics(
  diagnostics: readonly LocatedDiagnostic[],
  file: { readonly name: string; readonly text: string },
  paint: Paint,
): string {
  const lines = withoutSecrets(file.text).split('\n');
  return diagnostics
    .map((diagnostic) => {
      const { severity } = codes[diagnostic.code];
      const label = severity === 'error' ? paint.red(severity) : paint.yellow(severity);
      const head = `${at(file.name, diagnostic.place)} ${label} ${paint.bold(diagnostic.code)}: ${diagnostic.message}\n`;
      const notes = diagnostic.notes.map(
        (note) => `  ${at(file.name, note.place)} note: ${note.message}\n${excerpt(lines, note.place, paint)}`,
      );
      return head + excerpt(lines, diagnostic.place, paint) + notes.join('');
    })
    .join('');
}

function at(file: string, place: Place): string {
  return `${file}:${place.line}:${place.column}`;
}

/** How much of a line is shown, and how much of that before the caret. */
const WIDTH = 160;
const BEFORE_CARET = 60;

function excerpt(lines: readonly string[], place: Place, paint: Paint): string {
  const line = showable(lines[place.line - 1] ?? '');
  const cut = line.length > WIDTH ? Math.max(0, place.column - 1 - BEFORE_CARET) : 0;
  const source = line.slice(cut, cut + WIDTH);
  // Tabs stay tabs under the line, so that the caret lines up in any terminal.
  const indent = source.slice(0, place.column - 1 - cut).replace(/[^\t]/g, ' ');
  const caret = '^'.repeat(Math.max(1, Math.min(place.length, source.length - indent.length)));
  const gutter = String(place.line).padStart(6);
  return `${gutter} | ${source}\n${' '.repeat(6)} | ${indent}${paint.red(caret)}\n`;
}
