import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite } from 'uvu';
import { planOf } from '../../src/csr/plan.ts';
import { decode, encode, sequence } from '../support/der.ts';
import { judgeOne } from '../support/judge-one.ts';
import {
  attributes,
  clientCsrObject,
  csrObject,
  goodParts,
  pemOf,
  signedDer,
  type CsrParts,
} from '../support/make-csr.ts';
import { changeElements, flipBits, type Mutant } from '../support/mutate-der.ts';

// A good request is changed in each of its places and signed again, with its own key: none that says something else is
// approved. One of the two planned names will do, in any order; all else must be as it was.
const mutations = suite('mutations');

const plan = planOf({ nodes: [{ name: 'node1', address: '192.168.31.136' }] }, () => 'abcdef');

const kinds: readonly [string, CsrParts][] = [
  ['P-256', goodParts()],
  ['Ed25519', goodParts(generateKeyPairSync('ed25519'), 'ed25519')],
  ['RSA', goodParts(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'rsa-sha256')],
];

type Post = (pem: string) => object;

function isApproved(der: Buffer, post: Post = csrObject): boolean {
  return judgeOne(post(pemOf(der)), plan).kind === 'approve';
}

function infoOf({ version, subject, key, attributes }: CsrParts): Buffer {
  return encode(sequence(version, subject, key, attributes));
}

/** How often requests were changed, and how those were that are approved nevertheless. */
function judgeAll(mutants: Iterable<Mutant>, original: Buffer, wrap: (der: Buffer) => Buffer, post?: Post) {
  let changed = 0;
  const approved: string[] = [];
  for (const { how, der } of mutants) {
    if (der.equals(original)) continue;
    changed++;
    if (isApproved(wrap(der), post)) approved.push(how);
  }
  return { changed, approved };
}

for (const [kind, parts] of kinds) {
  const info = infoOf(parts);

  mutations(`${kind}: an element of what is signed is changed`, () => {
    const mutants = changeElements(decode(info, { deep: true }));
    const { changed, approved } = judgeAll(mutants, info, (der) => signedDer(der, parts));
    assert.ok(changed > 250, `${changed} changes`);
    // The two names: in attributes, extensionRequest, its set, extensions, the extension, its value, and the list there.
    const [name, address] = ['0.3.0.1.0.0.1.0.0', '0.3.0.1.0.0.1.0.1'];
    const allowed = [`left out at ${name}`, `swapped with the next at ${name}`, `left out at ${address}`];
    assert.deepEqual(approved, allowed);
  });

  mutations(`${kind}: what is around it is changed`, () => {
    const whole = signedDer(info, parts);
    const afterInfo = (der: Buffer): Buffer => Buffer.concat([whole.subarray(0, whole.length - after.length), der]);
    const after = whole.subarray(whole.indexOf(info) + info.length);
    const flipped = judgeAll(flipBits(after), after, afterInfo);
    const elements = judgeAll(changeElements(decode(whole)), whole, (der) => der);
    assert.ok(flipped.changed === after.length * 8 && elements.changed > 100);
    assert.deepEqual([...flipped.approved, ...elements.approved], []);
  });

  // To sign with RSA takes its time.
  if (kind === 'RSA') continue;

  mutations(`${kind}: a bit of what is signed is turned`, () => {
    const { changed, approved } = judgeAll(flipBits(info), info, (der) => signedDer(der, parts));
    assert.ok(changed === info.length * 8 && isApproved(signedDer(info, parts)));
    assert.deepEqual(approved, []);
  });
}

mutations('a client: whatever is changed in what is signed', () => {
  const parts = { ...goodParts(), attributes: attributes() };
  const info = infoOf(parts);
  const signed = (der: Buffer): Buffer => signedDer(der, parts);
  assert.ok(isApproved(signed(info), clientCsrObject));
  const elements = judgeAll(changeElements(decode(info, { deep: true })), info, signed, clientCsrObject);
  const flipped = judgeAll(flipBits(info), info, signed, clientCsrObject);
  assert.ok(elements.changed > 150 && flipped.changed === info.length * 8, `${elements.changed} changes`);
  assert.deepEqual([...elements.approved, ...flipped.approved], []);
});

mutations.run();
