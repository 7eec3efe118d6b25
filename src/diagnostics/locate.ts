import { isAlias, isCollection, isMap, isNode, isScalar, visit } from 'yaml';
import type { Alias, Document, LineCounter, Node } from 'yaml';
import type { Diagnostic, Path } from './diagnostic.ts';

/** A place in the text: line and column count from 1, length is what the caret underlines. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface LocatedDiagnostic extends Omit<Diagnostic, 'notes'> {
  readonly place: Place;
  readonly notes: readonly { readonly message: string; readonly place: Place }[];
}

/**
 * Turns paths into places, once, for everything that the rules said; sorted as the text is. What an alias repeats is
 * written once, and said once.
 */
export function locate(
  diagnostics: readonly Diagnostic[],
  document: Document,
  lines: LineCounter,
): LocatedDiagnostic[] {
  if (diagnostics.length === 0) return [];
  const targets = aliasTargets(document);
  const place = ({ path, at }: { path: Path; at: 'key' | 'value' }): Place => {
    const node = nodeAt(document.contents, targets, path, at);
    const [start, end] = node?.range ?? [0, 0];
    return placeOfOffset(lines, start, isScalar(node) || isAlias(node) ? end - start : 1);
  };
  const located = new Map<string, LocatedDiagnostic>();
  for (const diagnostic of diagnostics) {
    const { code, message, notes = [] } = diagnostic;
    const here = place(diagnostic);
    const name = `${here.line} ${here.column} ${code} ${message}`;
    if (located.has(name)) continue;
    located.set(name, {
      ...diagnostic,
      place: here,
      notes: notes.map((note) => ({ message: note.message, place: place(note) })),
    });
  }
  return [...located.values()].sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}

/** What each alias stands for. The library's own `alias.resolve` walks the document for every single one. */
function aliasTargets(document: Document): ReadonlyMap<Alias, Node> {
  const targets = new Map<Alias, Node>();
  const anchors = new Map<string, Node>();
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias(_, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
  });
  return targets;
}

/**
 * The node that a caret points at. What is not written (a default, a missing key) has none of its own: the nearest
 * key above it that is written stands for it.
 */
function nodeAt(top: unknown, targets: ReadonlyMap<Alias, Node>, path: Path, at: 'key' | 'value'): Node | undefined {
  let node = top;
  let spot: Node | undefined;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = targets.get(node);
    if (!isCollection(node)) break;
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    if (isMap(node) && pair === undefined) break;
    const child: unknown = pair === undefined ? node.items[Number(step)] : pair.value;
    const key = isNode(pair?.key) ? pair.key : undefined;
    const value = isNode(child) ? child : undefined;
    const wanted = depth === path.length - 1 && at === 'value' && value !== undefined && hasPlaceOfItsOwn(value);
    spot = wanted ? value : (key ?? value ?? spot);
    node = child;
  }
  return spot;
}

/** A whole block is pointed at by its key (a caret under twenty lines helps nobody), and so is nothing. */
function hasPlaceOfItsOwn(node: Node): boolean {
  const [start, end] = node.range ?? [0, 0];
  return !isCollection(node) && end > start;
}

/** A place by its offset; the caret never runs past the end of the line. */
export function placeOfOffset(lines: LineCounter, offset: number, length = 1): Place {
  const { line, col } = lines.linePos(offset);
  const nextLine = lines.lineStarts[line];
  const rest = nextLine === undefined ? length : nextLine - 1 - offset;
  return { line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(1, Math.min(length, rest)) };
}
