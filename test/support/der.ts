// Just enough ASN.1 to write what no library would, and to take apart what one wrote.

/** One element: its tag, and either its bytes or the elements in it. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer | readonly Element[];
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  universal: 0x1c,
  bmp: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

export const element = (tag: number, ...content: readonly Element[]): Element => ({ tag, content });
export const bytes = (tag: number, content: Uint8Array | string): Element => ({ tag, content: Buffer.from(content) });
export const sequence = (...content: Element[]): Element => element(tags.sequence, ...content);
export const set = (...content: Element[]): Element => element(tags.set, ...content);
export const bits = (content: Uint8Array): Element => bytes(tags.bitString, Buffer.concat([Buffer.of(0), content]));

export function oid(text: string): Element {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const base128 = (number: number): number[] => {
    const digits = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  };
  return bytes(tags.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

export function encode({ tag, content }: Element): Buffer {
  const body = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));
  return Buffer.concat([Buffer.of(tag), length(body.length), body]);
}

export function length(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  return size < 0x100 ? Buffer.of(0x81, size) : Buffer.of(0x82, size >> 8, size & 0xff);
}

/**
 * Takes DER apart. What a constructed element holds becomes elements; with `deep`, also what an OCTET STRING holds, where
 * that is known to be DER.
 */
export function decode(der: Buffer, { deep = false } = {}): Element {
  const [only, ...more] = decodeAll(der, deep);
  if (only === undefined || more.length > 0) throw new Error('not one element');
  return only;
}

function decodeAll(der: Buffer, deep: boolean): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length;) {
    const tag = der.readUInt8(at);
    const first = der.readUInt8(at + 1);
    const size = first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f);
    const start = at + 2 + (first < 0x80 ? 0 : first & 0x7f);
    const body = der.subarray(start, start + size);
    const holdsElements = (tag & 0x20) !== 0 || (deep && tag === tags.octetString);
    found.push({ tag, content: holdsElements ? decodeAll(body, deep) : body });
    at = start + size;
  }
  return found;
}
