import { isNode, LineCounter, parseDocument } from 'yaml';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { lockShape, type Lock, type LockedArtifact } from './lock.ts';

/** The same lock gives the same bytes: artifacts by name, keys in one order. */
export function formatLock({ artifacts, sandboxImage, ami }: Lock): string {
  const sorted = [...artifacts].sort((a, b) => (a.name < b.name ? -1 : 1)).map(inOrder);
  return `${JSON.stringify({ version: 1, artifacts: sorted, sandboxImage, ami }, null, 2)}\n`;
}

function inOrder(artifact: LockedArtifact): LockedArtifact {
  const { name, component, version, os, architecture, url, size, sha256, sha512 } = artifact;
  return { name, component, version, os, architecture, url, size, sha256, sha512 };
}

interface Mistake {
  readonly at: readonly PropertyKey[] | number;
  readonly what: string;
}

/** @throws Failure `lock-damaged` with everything that is wrong with it, and where */
export function parseLock(file: string, text: string): Lock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(file, text, [findSyntaxMistake(text)]);
  }
  const parsed = lockShape.safeParse(value);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => ({ at: path, what: message }));
    throw damaged(file, text, mistakes);
  }
  const names = parsed.data.artifacts.map(({ name }) => name);
  const twice = names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [{ at: ['artifacts', index], what: `${name} stands in it twice` }],
  );
  if (twice.length > 0) throw damaged(file, text, twice);
  return parsed.data;
}

/** JSON.parse says where in other words with each version of Node, and not always; JSON is YAML, too. */
function findSyntaxMistake(text: string): Mistake {
  const conflict = text.search(/^(<{7}|={7}|>{7})( |\r?$)/m);
  if (conflict !== -1) return { at: conflict, what: 'here a merge was left undecided' };
  const [error] = parseDocument(text, { prettyErrors: false }).errors;
  return { at: error?.pos[0] ?? 0, what: `it is not JSON${error === undefined ? '' : ` (${error.message})`}` };
}

function damaged(file: string, text: string, mistakes: readonly Mistake[]): Failure {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const offsetOf = (path: readonly PropertyKey[]): number => {
    // What is missing has no place: the nearest that is there has.
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    return isNode(node) ? (node.range?.[0] ?? 0) : offsetOf(path.slice(0, -1));
  };
  const list = mistakes.map(({ at, what }) => {
    const { line, col } = lines.linePos(typeof at === 'number' ? at : offsetOf(at));
    return `\n  ${file}:${line}:${col} ${typeof at === 'number' ? '' : `${at.join('.')}: `}${what}`;
  });
  const remedy = 'restore it from version control, or remove it and run `bake lock`';
  return new Failure('lock-damaged', `${file} cannot be read; ${remedy}:${list.join('')}`, exitCodes.description);
}
