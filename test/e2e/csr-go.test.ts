import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { suite } from 'uvu';
import { planOf } from '../../src/csr/plan.ts';
import { bytes, decode, encode, oid, sequence, set, tags, type Element } from '../support/der.ts';
import { judgeOne } from '../support/judge-one.ts';
import {
  attributes,
  csrObject,
  derOf,
  dns,
  extensionRequest,
  goodParts,
  ip,
  namesExtension,
  p256,
  pemOf,
  signedDer,
  type CsrParts,
} from '../support/make-csr.ts';
import { changeElements, flipBits } from '../support/mutate-der.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// Kubernetes reads requests by Go's crypto/x509. What bake approves, Go reads as bake does; what Go reads as something
// else, bake refuses. By the newest Go, and by an old one such as Kubernetes 1.18 was built with.
const go = suite('csr: Go reads it alike');
const oracle = await tryPart('csr-oracle');

const node = { name: 'node1', address: '192.168.31.136', interfaces: [], nameservers: [], searchDomains: [] };
const plan = planOf({ nodes: [node] });

interface Reading {
  readonly error?: string;
  readonly subject: readonly string[] | null;
  readonly dns: readonly string[] | null;
  readonly ips: readonly string[] | null;
  readonly others: readonly string[] | null;
  readonly key: string;
  readonly signed: boolean;
}

interface Case {
  readonly what: string;
  readonly request: string;
  readonly parts: CsrParts;
}

function caseOf(what: string, pem: string, parts: CsrParts): Case {
  return { what, request: Buffer.from(pem, 'latin1').toString('base64'), parts };
}

async function readByGo(program: string, requests: readonly string[]): Promise<Reading[]> {
  const { stdout } = await execa(join(oracle.folder, program), { input: requests.map((each) => `${each}\n`).join('') });
  return stdout.split('\n').map((line) => JSON.parse(line) as Reading);
}

/** @returns how many of them bake approves, and how many others Go would take */
async function compare(program: string, cases: readonly Case[]): Promise<{ approved: number; onlyGo: number }> {
  const readings = await readByGo(
    program,
    cases.map(({ request }) => request),
  );
  assert.equal(readings.length, cases.length);
  const count = { approved: 0, onlyGo: 0 };
  for (const [index, { what, request, parts }] of cases.entries()) {
    const reading = readings[index];
    assert.ok(reading !== undefined);
    if (judgeOne(csrObject('', { spec: { request } }), plan).kind === 'approve') {
      count.approved++;
      expectPlanned(what, reading, parts);
    } else if (reading.error === undefined && reading.signed) count.onlyGo++;
  }
  return count;
}

function expectPlanned(
  what: string,
  { error, subject, dns: names, ips, others, key, signed }: Reading,
  parts: CsrParts,
) {
  assert.equal(error, undefined, what);
  assert.ok(signed, what);
  assert.deepEqual(subject, ['2.5.4.10=system:nodes', '2.5.4.3=system:node:node1'], what);
  assert.ok([undefined, 'node1'].includes(names?.join()) && [undefined, 'c0a81f88'].includes(ips?.join()), what);
  assert.ok((names ?? ips) !== null && others === null, what);
  assert.equal(key, createHash('sha256').update(encode(parts.key)).digest('hex'), what);
}

const kinds: Readonly<Record<string, CsrParts>> = {
  'P-256': goodParts(),
  'P-384': goodParts(generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'ecdsa-sha384'),
  'P-521': goodParts(generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'ecdsa-sha512'),
  Ed25519: goodParts(generateKeyPairSync('ed25519'), 'ed25519'),
  RSA: goodParts(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'rsa-sha256'),
};

function mutantsOf(kind: string, parts: CsrParts): Case[] {
  const { version, subject, key, attributes: asked } = parts;
  const info = encode(sequence(version, subject, key, asked));
  const whole = derOf(parts);
  const inside = [...changeElements(decode(info, { deep: true }))].filter(({ der }) => !der.equals(info));
  const around = [...changeElements(decode(whole))].filter(({ der }) => !der.equals(whole));
  return [
    ...inside.map(({ how, der }) => caseOf(`${kind}: ${how}`, pemOf(signedDer(der, parts)), parts)),
    ...around.map(({ how, der }) => caseOf(`${kind}, whole: ${how}`, pemOf(der), parts)),
  ];
}

function flippedBits(parts: CsrParts): Case[] {
  const { version, subject, key, attributes: asked } = parts;
  const info = encode(sequence(version, subject, key, asked));
  const pem = Buffer.from(pemOf(derOf(parts)));
  return [
    ...[...flipBits(info)].map(({ how, der }) => caseOf(how, pemOf(signedDer(der, parts)), parts)),
    ...[...flipBits(pem)].map(({ how, der }) => caseOf(`PEM: ${how}`, der.toString('latin1'), parts)),
  ];
}

const rdn = fc
  .record({
    type: fc.constantFrom('2.5.4.10', '2.5.4.3', '2.5.4.11'),
    text: fc.constantFrom('system:nodes', 'system:node:node1', 'system:masters', 'system:node:node1\0'),
    tag: fc.constantFrom(tags.printable, tags.utf8, tags.teletex, tags.ia5, tags.universal, tags.bmp, 0x12, 0x1a),
  })
  .map(({ type, text, tag }) => sequence(oid(type), bytes(tag, text)));
const goodRdn = (type: string, text: string) =>
  fc.constantFrom(tags.printable, tags.utf8).map((tag) => set(sequence(oid(type), bytes(tag, text))));
const goodSubject = fc.tuple(goodRdn('2.5.4.10', 'system:nodes'), goodRdn('2.5.4.3', 'system:node:node1'));
const anySubject = fc.array(
  fc.array(rdn, { minLength: 1, maxLength: 2 }).map((all) => set(...all)),
  { maxLength: 3 },
);

const anyName: fc.Arbitrary<Element> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(dns('node1'), ip(192, 168, 31, 136)) },
  fc.constantFrom('node2', 'Node1', 'node1.', 'node1\0', 'node1\u00e9', '').map(dns),
  fc.uint8Array({ maxLength: 17 }).map((numbers) => ip(...numbers)),
  fc.constantFrom(0x80, 0x81, 0x86, 0x88, 0xa2, 0xa7, 0x89).map((tag) => bytes(tag, 'node1')),
);
const anyNames = fc.array(anyName, { maxLength: 3 }).map((names) => namesExtension(...names));
const anyAttributes = fc
  .tuple(fc.array(anyNames, { minLength: 1, maxLength: 2 }), fc.integer({ min: 1, max: 8 }))
  .map(([extensions, times]) =>
    attributes(...Array<Element>(times > 6 ? times - 6 : 1).fill(extensionRequest(...extensions))),
  );

const anyRequest = fc.record({
  subject: fc.oneof({ weight: 4, arbitrary: goodSubject }, anySubject).map((rdns) => sequence(...rdns)),
  attributes: anyAttributes,
});

for (const program of ['oracle-new', 'oracle-1.19']) {
  testUnless(go, oracle.missing, `${program}: a good request, changed in each of its places`, async () => {
    for (const [kind, parts] of Object.entries(kinds)) {
      assert.equal((await compare(program, [caseOf(kind, pemOf(derOf(parts)), parts)])).approved, 1, kind);
      const { approved, onlyGo } = await compare(program, mutantsOf(kind, parts));
      // One name left out, the other, and both in another order; and the least that shows that Go is asked at all.
      assert.equal(approved, 3, kind);
      assert.ok(onlyGo > 20, `Go takes ${onlyGo} more`);
    }
  });

  testUnless(go, oracle.missing, `${program}: a good request with one bit turned`, async () => {
    const { approved, onlyGo } = await compare(program, flippedBits(goodParts()));
    assert.equal(approved, 0);
    assert.ok(onlyGo > 100, `Go takes ${onlyGo} more`);
  });

  testUnless(go, oracle.missing, `${program}: any subject, any names`, async () => {
    const parts = goodParts(p256);
    const cases = fc
      .sample(anyRequest, { numRuns: 3000, seed: 1 })
      .map((said) => caseOf(JSON.stringify(said), pemOf(derOf({ ...parts, ...said })), parts));
    const { approved, onlyGo } = await compare(program, cases);
    assert.ok(approved > 100 && onlyGo > 100, `${approved} approved, Go takes ${onlyGo} more`);
  });
}

go.run();
