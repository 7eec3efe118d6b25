import { isAlias, isMap, isNode, isScalar, isSeq, type Alias, type Document, type YAMLMap } from 'yaml';
import type { SyntaxMistake } from './syntax-mistake.ts';

/**
 * Most values that aliases may stand for. Aliases are useful (one set of nameservers for ten thousand nodes stays far
 * below it), bombs are not: nine aliases of nine aliases, nine levels deep, are 400 million.
 */
const MAX_ALIASED_VALUES = 5_000_000;

/** Looks for what is legal YAML, and still no description: keys written twice, aliases that go nowhere or everywhere. */
export function inspectDocument(document: Document): SyntaxMistake[] {
  const mistakes: SyntaxMistake[] = [];
  /** Values below each anchor, its aliases written out; 'open' while they are still counted. */
  const sizes = new Map<string, number | 'open'>();
  let aliased = 0;

  const countValues = (node: unknown): number => {
    if (isAlias(node)) return countAlias(node);
    if (!isNode(node)) return 1;
    if (node.anchor !== undefined) sizes.set(node.anchor, 'open');
    let size = 1;
    if (isSeq(node)) for (const item of node.items) size += countValues(item);
    if (isMap(node)) {
      mistakes.push(...inspectKeys(node));
      for (const { value } of node.items) size += countValues(value);
    }
    if (node.anchor !== undefined) sizes.set(node.anchor, size);
    return size;
  };

  const countAlias = (alias: Alias): number => {
    const size = sizes.get(alias.source);
    const offset = alias.range?.[0] ?? 0;
    if (size === undefined) {
      const message = `there is no anchor &${alias.source} above this alias; write one, or the value itself`;
      mistakes.push({ code: 'yaml-syntax', message, offset });
      return 1;
    }
    if (size === 'open') {
      const message = `*${alias.source} stands inside what it stands for; write the value itself`;
      mistakes.push({ code: 'alias-bomb', message, offset });
      return 1;
    }
    const before = aliased;
    aliased += size;
    if (before <= MAX_ALIASED_VALUES && aliased > MAX_ALIASED_VALUES) {
      const message = 'the aliases up to here stand for more values than any cluster has; write out what is meant';
      mistakes.push({ code: 'alias-bomb', message, offset });
    }
    return size;
  };

  countValues(document.contents);
  return mistakes;
}

function inspectKeys(map: YAMLMap): SyntaxMistake[] {
  const mistakes: SyntaxMistake[] = [];
  const offsets = new Map<unknown, number>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    const offset = key.range?.[0] ?? 0;
    const first = offsets.get(key.value);
    if (first === undefined) offsets.set(key.value, offset);
    else
      mistakes.push({
        code: 'duplicate-key',
        message: `${String(key.value)} is written twice here; keep one`,
        offset,
        first,
      });
    // JavaScript's own name for what an object inherits from; no field of Kubernetes has it.
    if (key.value === '__proto__') {
      mistakes.push({ code: 'unknown-key', message: 'there is no key "__proto__" anywhere; remove it', offset });
    }
  }
  return mistakes;
}
