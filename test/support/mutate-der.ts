import { encode, length, type Element } from './der.ts';

/** Something that was changed, and how, for the message of a test. */
export interface Mutant {
  readonly how: string;
  readonly der: Buffer;
}

/** Every bit turned, one at a time: tags, lengths and contents alike. */
export function* flipBits(der: Buffer): Iterable<Mutant> {
  for (let bit = 0; bit < der.length * 8; bit++) {
    const changed = Buffer.from(der);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    yield { how: `bit ${bit & 7} of byte ${bit >> 3} turned`, der: changed };
  }
}

/** Every element left out, repeated, swapped with the next, emptied, cut, lengthened, and written in BER. */
export function* changeElements(root: Element): Iterable<Mutant> {
  for (const path of pathsOf(root)) {
    for (const [how, change] of Object.entries(changes)) {
      const changed = replaceAt(root, path, change);
      if (changed !== undefined) yield { how: `${how} at ${path.join('.')}`, der: Buffer.concat(changed.map(toBytes)) };
    }
  }
}

/** An element, or bytes that stand in its place as they are. */
type Piece = Element | { readonly raw: Buffer } | { readonly tag: number; readonly pieces: readonly Piece[] };

/** Gets the children of an element, and which of them is changed. */
type Change = (siblings: readonly Element[], index: number) => readonly Piece[] | undefined;

const atIndex =
  (make: (element: Element) => readonly Piece[] | undefined): Change =>
  (siblings, index) => {
    const made = siblings[index] && make(siblings[index]);
    return made && [...siblings.slice(0, index), ...made, ...siblings.slice(index + 1)];
  };

const withBody = (make: (body: Buffer) => Buffer | undefined): Change =>
  atIndex((element) => {
    const body = make(bodyOf(element));
    return body && [{ tag: element.tag, content: body }];
  });

const changes: Readonly<Record<string, Change>> = {
  'left out': atIndex(() => []),
  repeated: atIndex((element) => [element, element]),
  'swapped with the next': (siblings, index) => {
    const [one, next] = [siblings[index], siblings[index + 1]];
    return one && next && [...siblings.slice(0, index), next, one, ...siblings.slice(index + 2)];
  },
  emptied: withBody(() => Buffer.of()),
  'without its last byte': withBody((body) => (body.length === 0 ? undefined : body.subarray(0, -1))),
  'with a zero byte after it': withBody((body) => Buffer.concat([body, Buffer.of(0)])),
  'with a zero byte before it': withBody((body) => Buffer.concat([Buffer.of(0), body])),
  'with a NULL after it': withBody((body) => Buffer.concat([body, Buffer.of(5, 0)])),
  'wrapped in a SEQUENCE': atIndex((element) => [{ tag: 0x30, content: [element] }]),
  'with a long length': atIndex((element) => [{ raw: berWithLength(element, longLength) }]),
  'without a length': atIndex(({ tag, content }) =>
    Buffer.isBuffer(content)
      ? undefined
      : [{ raw: Buffer.concat([Buffer.of(tag, 0x80), bodyOf({ tag, content }), Buffer.of(0, 0)]) }],
  ),
  'a string in pieces': atIndex(({ tag, content }) =>
    Buffer.isBuffer(content) ? [{ tag: tag | 0x20, content: encode({ tag, content }) }] : undefined,
  ),
};

function longLength(size: number): Buffer {
  const least = length(size);
  return size < 0x80
    ? Buffer.of(0x81, size)
    : Buffer.concat([Buffer.of((least.readUInt8(0) & 0x7f) + 0x81, 0), least.subarray(1)]);
}

function berWithLength(element: Element, lengthOf: (size: number) => Buffer): Buffer {
  const body = bodyOf(element);
  return Buffer.concat([Buffer.of(element.tag), lengthOf(body.length), body]);
}

function bodyOf({ content }: Element): Buffer {
  return Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));
}

type Path = readonly number[];

/** The way to each element, from the only element of a list. */
function* pathsOf({ content }: Element, path: Path = [0]): Iterable<Path> {
  yield path;
  if (Buffer.isBuffer(content)) return;
  for (const [index, child] of content.entries()) yield* pathsOf(child, [...path, index]);
}

function replaceAt(root: Element, path: Path, change: Change): readonly Piece[] | undefined {
  return replaceIn([root], path, change);
}

function replaceIn(
  siblings: readonly Element[],
  [index = 0, ...rest]: Path,
  change: Change,
): readonly Piece[] | undefined {
  if (rest.length === 0) return change(siblings, index);
  const parent = siblings[index];
  if (parent === undefined || Buffer.isBuffer(parent.content)) return undefined;
  const pieces = replaceIn(parent.content, rest, change);
  if (pieces === undefined) return undefined;
  return [...siblings.slice(0, index), { tag: parent.tag, pieces }, ...siblings.slice(index + 1)];
}

function toBytes(piece: Piece): Buffer {
  if ('raw' in piece) return piece.raw;
  if ('content' in piece) return encode(piece);
  const body = Buffer.concat(piece.pieces.map(toBytes));
  return Buffer.concat([Buffer.of(piece.tag), length(body.length), body]);
}
