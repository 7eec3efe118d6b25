import { isMap, isScalar, isSeq, type Document } from 'yaml';
import type { Diagnostic, Path } from '../diagnostics/diagnostic.ts';

/** Numbers that YAML reads as something else than what stands there: `1.30` as 1.3, `0755` as 755, `0x10` as 16. */
export function* findMangledNumbers(document: Document): Iterable<Diagnostic> {
  yield* findBelow(document.contents, []);
}

function* findBelow(node: unknown, path: Path): Iterable<Diagnostic> {
  if (isScalar(node)) {
    if (typeof node.value !== 'number' || node.source === undefined || String(node.value) === node.source) return;
    const inQuotes = `write it in quotes if it is text ("${node.source}")`;
    const remedy = Number.isFinite(node.value) ? `${inQuotes}, else as ${node.value}` : inQuotes;
    const message = `YAML reads ${node.source} as the number ${node.value}; ${remedy}`;
    yield { code: 'mangled-number', path, at: 'value', message };
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) yield* findBelow(item, [...path, index]);
  } else if (isMap(node)) {
    for (const { key, value } of node.items)
      yield* findBelow(value, [...path, String(isScalar(key) ? key.value : key)]);
  }
}
