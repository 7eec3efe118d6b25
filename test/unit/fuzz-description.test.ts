import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import { isCollection, isMap, isSeq, parseDocument, type Document } from 'yaml';
import { namedFiles, readMeaning, readWritten } from '../../src/description/read-description.ts';
import type { LocatedDiagnostic, Place } from '../../src/diagnostics/locate.ts';
import { codes } from '../../src/diagnostics/codes.ts';
import { plain } from '../../src/diagnostics/paint.ts';
import { renderDiagnostics } from '../../src/diagnostics/render.ts';

// Whatever somebody writes, what comes back is diagnostics with a place in the text, or a cluster. `FUZZ=20000` tries as
// many, and others each time.
const fuzz = suite('any description');
const runs = process.env['FUZZ'] === undefined ? { numRuns: 100, seed: 1 } : { numRuns: Number(process.env['FUZZ']) };

const root = join(import.meta.dirname, '../..');
const everyOption = readFileSync(join(root, 'test/golden/every-option/cluster.yaml'), 'utf8');
const authority = readFileSync(join(root, 'test/support/certificates/ca.pem'), 'utf8');

function check(text: string, pem = authority): void {
  const lines = text.split('\n');
  const found = diagnosticsOf(text, pem);
  for (const { code, message, place, notes } of found) {
    assert.ok(Object.hasOwn(codes, code));
    assert.ok(message !== '' && !/\n|undefined|\[object/.test(message.replaceAll(/"(\\.|[^"\\])*"/g, '')), message);
    for (const at of [place, ...notes.map((note) => note.place)]) checkPlace(at, lines);
  }
  renderDiagnostics(found, { name: 'cluster.yaml', text }, plain);
}

function diagnosticsOf(text: string, pem: string): readonly LocatedDiagnostic[] {
  const written = readWritten(text);
  if (written.kind === 'bad') {
    assert.ok(written.diagnostics.length > 0);
    return written.diagnostics;
  }
  const certificates = new Map(
    namedFiles(written.value.spec).map((name) => [name, { kind: 'text', text: pem } as const]),
  );
  const meaning = readMeaning(written.value, { files: certificates, now: new Date('2020-08-02T14:12:04Z') });
  return meaning.kind === 'bad' ? meaning.diagnostics : meaning.warnings;
}

function checkPlace({ line, column, length }: Place, lines: readonly string[]): void {
  const text = lines[line - 1];
  assert.ok(text !== undefined, `there is no line ${line}`);
  // A caret may stand just behind the last character, where something is missing.
  assert.ok(column >= 1 && column - 1 <= text.length, `line ${line} has no column ${column}`);
  assert.ok(length >= 1 && column - 1 + length <= text.length + 1, `${length} characters from ${line}:${column}`);
}

const oddText = fc.oneof(
  fc.constantFrom(
    '\t',
    '\n',
    '\r',
    '\0',
    '"',
    "'",
    '{',
    '[',
    ']',
    '}',
    ': ',
    '- ',
    '#',
    '&a ',
    '*a',
    '!!str ',
    '|',
    '>',
  ),
  fc.constantFrom(
    '? ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '<<: ',
    '__proto__: ',
    '\ufeff',
    '\ud800',
    '💥',
    '1.30',
    '0755',
    '~',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

fuzz('with bits of its text replaced', () => {
  const cut = fc.record({ at: fc.nat(everyOption.length), length: fc.nat(12), text: oddText });
  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 3 }), (cuts) => {
      let text = everyOption;
      for (const { at, length, text: odd } of cuts) text = text.slice(0, at) + odd + text.slice(at + length);
      check(text);
    }),
    runs,
  );
});

fuzz('with lines left out, doubled or moved', () => {
  const lines = everyOption.split('\n');
  const move = fc.record({ from: fc.nat(lines.length - 1), to: fc.nat(lines.length - 1), keep: fc.boolean() });
  fc.assert(
    fc.property(fc.array(move, { minLength: 1, maxLength: 4 }), (moves) => {
      const moved = [...lines];
      for (const { from, to, keep } of moves) moved.splice(to, 0, ...moved.slice(from, from + 1 + (keep ? 1 : 0)));
      for (const { from, keep } of moves) if (!keep) moved.splice(from, 1);
      check(moved.join('\n'));
    }),
    runs,
  );
});

const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '',
    ' ',
    '0',
    '::',
    '::1',
    '0.0.0.0/0',
    '::/1',
    'fe80::1',
    '1.2.3.4/32',
    '65535',
    -1,
    0,
    1e21,
  ),
  fc.constantFrom<unknown>(
    'node1',
    '192.168.31.136',
    'eth0',
    'fd00::1/127',
    '[::1]:1',
    'a'.repeat(300),
    '1.23.99',
    '5m',
  ),
);

fuzz('with any values in place of some of its own', () => {
  const paths = valuePaths(parseDocument(everyOption));
  const change = fc.record({ path: fc.constantFrom(...paths), value: oddValue });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const document = parseDocument(everyOption);
      for (const { path, value } of changes) setIn(document, path, value);
      check(String(document));
    }),
    runs,
  );
});

/** Does nothing where an earlier change took away what the path leads through. */
function setIn(document: Document, path: readonly (string | number)[], value: unknown): void {
  const parent = document.getIn(path.slice(0, -1), true);
  if (isMap(parent) || (isSeq(parent) && typeof path.at(-1) === 'number')) {
    document.setIn(path, document.createNode(value));
  }
}

/** The path of every value and every collection, but for the whole. */
function valuePaths(document: Document): (string | number)[][] {
  const below = (node: unknown, path: (string | number)[]): (string | number)[][] => {
    if (!isCollection(node)) return [path];
    const children = isMap(node)
      ? node.items.flatMap(({ key, value }) => below(value, [...path, String(key)]))
      : node.items.flatMap((item, index) => below(item, [...path, index]));
    return path.length === 0 ? children : [path, ...children];
  };
  return below(document.contents, []);
}

fuzz('with bits of its certificates flipped', () => {
  const written = everyOption.replace(/ {2}kubeletClientUser.*/, '  kubeletClientCertificate: client.pem');
  const [, base64 = ''] = /-----BEGIN CERTIFICATE-----([^-]+)/.exec(authority) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(at) ^ bits, at);
      check(written, `-----BEGIN CERTIFICATE-----\n${flipped.toString('base64')}\n-----END CERTIFICATE-----\n`);
    }),
    runs,
  );
});

fuzz.run();
