import { isAlias, isMap, isNode, isScalar, isSeq, type Alias, type Document, type YAMLMap } from 'yaml';
import { quote } from '../diagnostics/quote.ts';
import type { SyntaxMistake } from './syntax-mistake.ts';

/**
 * Most values that a description may hold, aliases written out. Aliases are useful (ten thousand nodes that share one
 * set of nameservers stay far below it), bombs are not: nine aliases of nine aliases, nine levels deep, are 400 million.
 */
const MAX_VALUES = 5_000_000;

/** What an anchor marks, and how many values that is; 'open' while it is being read. */
type Anchored = { readonly value: unknown; readonly size: number } | 'open';

/**
 * Turns a document into plain values, and finds what is legal YAML and still no description: keys written twice,
 * aliases that lead nowhere or everywhere. (The library's own toJS looks through all anchors for every alias.)
 */
export function readValue(document: Document): { value: unknown; mistakes: SyntaxMistake[] } {
  const mistakes: SyntaxMistake[] = [];
  const anchors = new Map<string, Anchored>();
  let count = 0;

  const read = (node: unknown): unknown => {
    if (isAlias(node)) return readAlias(node);
    if (!isNode(node)) return null;
    const before = count++;
    if (node.anchor !== undefined) anchors.set(node.anchor, 'open');
    const value = isMap(node) ? readMap(node) : isSeq(node) ? node.items.map(read) : isScalar(node) ? node.value : null;
    if (node.anchor !== undefined) anchors.set(node.anchor, { value, size: count - before });
    return value;
  };

  const readMap = (map: YAMLMap): unknown => {
    mistakes.push(...inspectKeys(map));
    return Object.fromEntries(map.items.map(({ key, value }) => [keyOf(key), read(value)]));
  };

  const readAlias = (alias: Alias): unknown => {
    const target = anchors.get(alias.source);
    const offset = alias.range?.[0] ?? 0;
    if (target === undefined) {
      const message = `there is no anchor &${alias.source} above this alias; write one, or the value itself`;
      mistakes.push({ code: 'yaml-syntax', message, offset });
      return null;
    }
    if (target === 'open') {
      const message = `*${alias.source} stands inside what it stands for; write the value itself`;
      mistakes.push({ code: 'alias-bomb', message, offset });
      return null;
    }
    const before = count;
    count += target.size;
    if (before <= MAX_VALUES && count > MAX_VALUES) {
      const message = 'the aliases up to here stand for more values than any cluster has; write out what is meant';
      mistakes.push({ code: 'alias-bomb', message, offset });
    }
    return target.value;
  };

  return { value: read(document.contents), mistakes };
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function inspectKeys(map: YAMLMap): SyntaxMistake[] {
  const mistakes: SyntaxMistake[] = [];
  const offsets = new Map<string, number>();
  for (const { key } of map.items) {
    const name = keyOf(key);
    const offset = isNode(key) ? (key.range?.[0] ?? 0) : 0;
    const first = offsets.get(name);
    if (first === undefined) offsets.set(name, offset);
    else
      mistakes.push({
        code: 'duplicate-key',
        message: `${quote(name)} is written twice here; keep one`,
        offset,
        first,
      });
    // JavaScript's own name for what an object inherits from; no field of Kubernetes has it.
    if (name === '__proto__') {
      mistakes.push({ code: 'unknown-key', message: 'there is no key "__proto__" anywhere; remove it', offset });
    }
  }
  return mistakes;
}
