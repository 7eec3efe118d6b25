import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite } from 'uvu';
import { planOf } from '../../src/csr/plan.ts';
import { refusalReasons, type RefusalReason } from '../../src/csr/refusal-reasons.ts';
import { bits, bytes, decode, element, encode, oid, sequence, set, tags } from '../support/der.ts';
import { judgeOne } from '../support/judge-one.ts';
import {
  algorithmElement,
  attributes,
  clientCsrOf,
  commonName,
  csrObject,
  csrOf,
  derOf,
  dns,
  extensionRequest,
  goodNames,
  goodParts,
  ip,
  namesExtension,
  organization,
  p256,
  pemOf,
  rdn,
  type AlgorithmName,
  type CsrParts,
  type Keys,
} from '../support/make-csr.ts';

// Each check has requests that pass it, and requests that it refuses. How requests are written, bit by bit, is in
// csr-mutations; Go's own reading of them in the end-to-end tests.
const approved = suite('approved');
const refused = suite('refused');

const nodes = [
  { name: 'node1', address: '192.168.31.136' },
  { name: 'node2', address: '192.168.31.90' },
  { name: 'node6', address: 'fd00:31:0:1:0:1:1:44' },
  { name: 'node.example', address: '192.168.31.91' },
];
/** Each but node6 has its token. */
const tokenIds: Readonly<Record<string, string>> = { node1: 'abcdef', node2: '012345', 'node.example': '54321z' };
const plan = planOf({ nodes }, (node) => tokenIds[node]);
/** Where the cluster approves client certificates. */
const guidePlan = planOf({ nodes });

const seen = new Set<string>();

function approves(what: string, value: () => unknown): void {
  approved(what, () => assert.equal(judgeOne(value(), plan).kind, 'approve'));
}

function refuses(reason: RefusalReason, what: string, value: () => unknown, says?: RegExp, by = plan): void {
  seen.add(reason);
  refused(`${reason}: ${what}`, () => {
    const verdict = judgeOne(value(), by);
    assert.equal(verdict.kind === 'refuse' ? verdict.reason : verdict.kind, reason);
    if (says !== undefined && verdict.kind === 'refuse') assert.match(verdict.message, says);
  });
}

const csr = csrOf;
const spec = (fields: Record<string, unknown>) => csr({}, { spec: fields });

// The object.
const v1beta1 = { apiVersion: 'certificates.k8s.io/v1beta1' };
approves('what kubelet asks for', () => csr());
approves('the same of v1beta1', () => csr({}, v1beta1));
refuses('object-malformed', 'no object', () => null);
refuses('object-malformed', 'another kind', () => csr({}, { kind: 'Secret' }), /^kind: /);
refuses(
  'object-malformed',
  'a version to come',
  () => csr({}, { apiVersion: 'certificates.k8s.io/v2' }),
  /^apiVersion: /,
);
refuses('object-malformed', 'no request', () => spec({ request: undefined }), /^spec\.request: /);
refuses('object-malformed', 'a lifetime that is no whole number', () => spec({ expirationSeconds: 3600.5 }));

refuses('signer-missing', 'v1beta1 of an old apiserver', () =>
  csr({}, { ...v1beta1, spec: { signerName: undefined } }),
);
for (const signerName of [
  'kubernetes.io/kube-apiserver-client',
  'kubernetes.io/legacy-unknown',
  'kubernetes.io/kubelet-serving ',
  '',
]) {
  refuses('signer-other', JSON.stringify(signerName), () => spec({ signerName }));
}

refuses('requester-not-a-node', 'a bootstrap token', () => spec({ username: 'system:bootstrap:abcdef' }));
refuses('requester-not-a-node', 'an administrator', () => spec({ username: 'kubernetes-admin' }));
refuses('requester-not-a-node', 'nobody', () => spec({ username: '' }));
refuses('node-not-planned', 'a stranger', () => spec({ username: 'system:node:node3' }), /node3/);
refuses('node-not-planned', 'another case', () => spec({ username: 'system:node:Node1' }));
refuses('node-not-planned', 'no name', () => spec({ username: 'system:node:' }));

approves('groups in another order', () => spec({ groups: ['system:authenticated', 'system:nodes'] }));
refuses('groups-other', 'none', () => spec({ groups: undefined }), /nothing/);
refuses('groups-other', 'not authenticated', () => spec({ groups: ['system:nodes'] }));
refuses('groups-other', 'no node', () => spec({ groups: ['system:authenticated'] }));
refuses('groups-other', 'one more', () => spec({ groups: ['system:nodes', 'system:authenticated', 'system:masters'] }));

approves('usages as kubelet asks for since 1.27', () => spec({ usages: ['digital signature', 'server auth'] }));
approves('usages in another order', () => spec({ usages: ['server auth', 'key encipherment', 'digital signature'] }));
refuses('usages-other', 'none', () => spec({ usages: null }), /nothing/);
refuses('usages-other', 'without server auth', () => spec({ usages: ['digital signature', 'key encipherment'] }));
refuses('usages-other', 'without digital signature', () => spec({ usages: ['key encipherment', 'server auth'] }));
refuses('usages-other', 'client auth too', () => spec({ usages: ['digital signature', 'server auth', 'client auth'] }));
refuses('usages-other', 'any', () => spec({ usages: ['any'] }));
refuses('usages-other', 'one twice', () => spec({ usages: ['digital signature', 'server auth', 'server auth'] }));

approves('the shortest lifetime', () => spec({ expirationSeconds: 600 }));
approves('the longest lifetime', () => spec({ expirationSeconds: 31_536_000 }));
refuses('lifetime-out-of-bounds', 'too short', () => spec({ expirationSeconds: 599 }), /599/);
refuses('lifetime-out-of-bounds', 'too long', () => spec({ expirationSeconds: 31_536_001 }));
refuses('lifetime-out-of-bounds', 'negative', () => spec({ expirationSeconds: -1 }));

// PEM.
const good = derOf(goodParts());
const goodPem = pemOf(good);
const pem = (text: string) => csrObject(text);
const begin = '-----BEGIN CERTIFICATE REQUEST-----\n';
refuses('pem-not-canonical', 'empty', () => pem(''));
refuses('pem-not-canonical', 'nothing in the block', () => pem(pemOf(Buffer.of())));
refuses('pem-not-canonical', 'a certificate', () => pem(goodPem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE')));
refuses('pem-not-canonical', 'the old name', () => pem(goodPem.replaceAll('CERTIFICATE', 'NEW CERTIFICATE')));
refuses('pem-not-canonical', 'two blocks', () => pem(goodPem + goodPem));
refuses('pem-not-canonical', 'text before it', () => pem(`node1\n${goodPem}`));
refuses('pem-not-canonical', 'text after it', () => pem(`${goodPem}\n`));
refuses('pem-not-canonical', 'a header', () => pem(goodPem.replace(begin, `${begin}Proc-Type: 4,CLEAR\n\n`)));
refuses('pem-not-canonical', 'CRLF', () => pem(goodPem.replaceAll('\n', '\r\n')));
refuses('pem-not-canonical', 'one long line', () =>
  pem(`${begin}${good.toString('base64')}\n${goodPem.slice(goodPem.indexOf('-----END'))}`),
);
refuses('pem-not-canonical', 'a space within', () => pem(goodPem.replace('MII', 'M II')));
refuses('pem-not-canonical', 'bare DER', () => csr({}, { spec: { request: good.toString('base64') } }));
refuses('pem-not-canonical', 'base64 with a space', () => {
  const request = Buffer.from(goodPem).toString('base64');
  return spec({ request: `${request.slice(0, 8)} ${request.slice(8)}` });
});
refuses('pem-not-canonical', 'endless', () => pem(pemOf(Buffer.alloc(20_000))));

// DER.
refuses('der-malformed', 'no request', () => pem(pemOf(encode(sequence()))));
refuses('der-malformed', 'cut short', () => pem(pemOf(good.subarray(0, -1))));
refuses('der-not-strict', 'a byte after it', () => pem(pemOf(Buffer.concat([good, Buffer.of(0)]))));
refuses('der-not-strict', 'another version', () => csr({ version: bytes(tags.integer, Buffer.of(1)) }));
refuses('der-not-strict', 'a version of two bytes', () => csr({ version: bytes(tags.integer, Buffer.of(0, 0)) }));
refuses('der-not-strict', 'a signature with unused bits', () => {
  const { signature } = goodParts();
  return csr({
    signature: (signed) => {
      const content = Buffer.from(signature(signed).content as Buffer);
      content[0] = 1;
      return bytes(tags.bitString, content);
    },
  });
});
refuses('der-not-strict', 'critical: FALSE, written out', () =>
  asking(
    sequence(oid('2.5.29.17'), bytes(tags.boolean, Buffer.of(0)), element(tags.octetString, sequence(...goodNames))),
  ),
);
refuses('der-not-strict', 'names that are critical', () =>
  asking(
    sequence(oid('2.5.29.17'), bytes(tags.boolean, Buffer.of(255)), element(tags.octetString, sequence(...goodNames))),
  ),
);
refuses('der-not-strict', 'RSA without its NULL', () =>
  csr({ ...goodParts(rsa2048, 'rsa-sha256'), signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.11')) }),
);

// Keys and signatures.
const rsa = (modulusLength: number, publicExponent?: number): Keys =>
  generateKeyPairSync('rsa', publicExponent === undefined ? { modulusLength } : { modulusLength, publicExponent });
const rsa2048 = rsa(2048);
const ec = (namedCurve: string): Keys => generateKeyPairSync('ec', { namedCurve });

const goodKeys: readonly [string, Keys, AlgorithmName][] = [
  ['RSA of 2048 bits', rsa2048, 'rsa-sha256'],
  ['RSA with SHA-384', rsa2048, 'rsa-sha384'],
  ['RSA with SHA-512', rsa2048, 'rsa-sha512'],
  ['RSA of 3072 bits', rsa(3072), 'rsa-sha256'],
  ['P-384', ec('P-384'), 'ecdsa-sha384'],
  ['P-521', ec('P-521'), 'ecdsa-sha512'],
  ['P-256 with SHA-512', p256, 'ecdsa-sha512'],
  ['Ed25519', generateKeyPairSync('ed25519'), 'ed25519'],
];
for (const [what, keys, algorithm] of goodKeys) approves(what, () => csr(goodParts(keys, algorithm)));

const badKeys: readonly [string, Keys, AlgorithmName][] = [
  ['RSA of 1024 bits', rsa(1024), 'rsa-sha256'],
  ['RSA of 2047 bits', rsa(2047), 'rsa-sha256'],
  ['RSA with the exponent 3', rsa(2048, 3), 'rsa-sha256'],
  ['P-224', ec('P-224'), 'ecdsa-sha256'],
  ['secp256k1', ec('secp256k1'), 'ecdsa-sha256'],
  ['X25519', { ...generateKeyPairSync('x25519'), privateKey: p256.privateKey }, 'ecdsa-sha256'],
  ['Ed448', { ...generateKeyPairSync('ed448'), privateKey: p256.privateKey }, 'ecdsa-sha256'],
];
for (const [what, keys, algorithm] of badKeys) {
  refuses('key-unsuitable', what, () => csr(goodParts(keys, algorithm)));
}
refuses('key-unsuitable', 'no point of the curve', () => {
  const spki = p256.publicKey.export({ type: 'spki', format: 'der' });
  spki[spki.length - 1] = (spki.at(-1) ?? 0) ^ 1;
  return csr({ key: decode(spki) });
});
refuses('der-not-strict', 'a compressed point', () => {
  const { x = '', y = '' } = p256.publicKey.export({ format: 'jwk' });
  const odd = (Buffer.from(y, 'base64url').at(-1) ?? 0) & 1;
  const point = Buffer.concat([Buffer.of(2 + odd), Buffer.from(x, 'base64url')]);
  return csr({ key: sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bits(point)) });
});
refuses('der-not-strict', 'a curve by its parameters', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  return csr(goodParts({ publicKey, privateKey }));
});

for (const algorithm of ['rsa-sha1', 'rsa-md5'] as const) {
  refuses('signature-algorithm', algorithm, () => csr(goodParts(rsa2048, algorithm)));
}
refuses('signature-algorithm', 'ecdsa-sha1', () => csr(goodParts(p256, 'ecdsa-sha1')), /ECDSA with SHA-1/);
refuses('signature-algorithm', 'RSA-PSS', () =>
  csr({ ...goodParts(rsa2048, 'rsa-sha256'), signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.10')) }),
);
refuses('signature-invalid', 'by another key', () => csr({ signature: goodParts(ec('P-256')).signature }));
refuses('signature-invalid', 'of something else', () =>
  csr({ signature: () => goodParts().signature(Buffer.from('something else')) }),
);
refuses('signature-invalid', 'none', () => csr({ signature: () => bits(Buffer.of()) }));
refuses('signature-invalid', 'of another kind than the key', () =>
  csr({ signatureAlgorithm: algorithmElement('rsa-sha256') }),
);
refuses('signature-invalid', 'an algorithm that it is not signed by', () =>
  csr({ signatureAlgorithm: algorithmElement('ecdsa-sha384') }),
);

// Attributes and extensions.
const asking = (...extensions: Parameters<typeof extensionRequest>) =>
  csr({ attributes: attributes(extensionRequest(...extensions)) });
const named = namesExtension(...goodNames);
const keyUsage = sequence(oid('2.5.29.15'), element(tags.octetString, bytes(tags.bitString, Buffer.of(5, 0xa0))));
const password = sequence(oid('1.2.840.113549.1.9.7'), set(bytes(tags.utf8, 'secret')));
refuses('content-unexpected', 'another extension', () => asking(keyUsage));
refuses('content-unexpected', 'one more extension', () => asking(named, keyUsage));
refuses('content-unexpected', 'names twice', () => asking(named, named));
refuses('content-unexpected', 'no extension', () => asking());
refuses('content-unexpected', 'another attribute', () => csr({ attributes: attributes(password) }));
refuses('content-unexpected', 'one more attribute', () =>
  csr({ attributes: attributes(extensionRequest(named), password) }),
);
refuses('content-unexpected', 'extensions asked for twice', () =>
  csr({ attributes: attributes(extensionRequest(named), extensionRequest(named)) }),
);
refuses('der-not-strict', 'two values of the attribute', () =>
  csr({ attributes: attributes(sequence(oid('1.2.840.113549.1.9.14'), set(sequence(named), sequence(named)))) }),
);

// The subject.
const subject = (...rdns: CsrParts['subject'][]) => csr({ subject: sequence(...rdns) });
const own = commonName('system:node:node1');
approves('a subject in UTF-8, as OpenSSL writes it', () =>
  subject(rdn('2.5.4.10', 'system:nodes', tags.utf8), rdn('2.5.4.3', 'system:node:node1', tags.utf8)),
);
refuses('subject-other', 'empty', () => subject());
refuses('subject-other', 'no organization', () => subject(own));
refuses('subject-other', 'no name', () => subject(organization));
refuses('subject-other', 'another node', () => subject(organization, commonName('system:node:node2')), /node2/);
refuses('subject-other', 'another organization', () => subject(rdn('2.5.4.10', 'system:masters'), own));
refuses('subject-other', 'two organizations', () => subject(organization, rdn('2.5.4.10', 'system:masters'), own));
refuses('subject-other', 'two names', () => subject(organization, own, own));
refuses('subject-other', 'one attribute more', () => subject(organization, rdn('2.5.4.11', 'nodes'), own));
refuses('subject-other', 'in another order', () => subject(own, organization));
refuses('subject-other', 'both in one RDN', () =>
  subject(set(...[own, organization].flatMap(({ content }) => content as CsrParts['subject'][]))),
);
for (const [name, tag] of Object.entries({ teletex: tags.teletex, ia5: tags.ia5 })) {
  refuses('subject-other', `a ${name} string`, () => subject(rdn('2.5.4.10', 'system:nodes', tag), own));
}
refuses('subject-other', 'a BMP string', () =>
  subject(rdn('2.5.4.10', Buffer.from('system:nodes', 'utf16le').swap16().toString('latin1'), tags.bmp), own),
);

// Names.
const names = (...content: CsrParts['subject'][]) => asking(namesExtension(...content));
const six = [0xfd, 0, 0, 0x31, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0x44];
approves('a name without an address', () => names(dns('node1')));
approves('an address without a name', () => names(ip(192, 168, 31, 136)));
approves('names in another order', () => names(ip(192, 168, 31, 136), dns('node1')));
approves('an IPv6 address', () =>
  csr(
    {
      subject: sequence(organization, commonName('system:node:node6')),
      attributes: attributes(extensionRequest(namesExtension(dns('node6'), ip(...six)))),
    },
    { spec: { username: 'system:node:node6' } },
  ),
);
refuses('names-missing', 'no attributes', () => csr({ attributes: attributes() }));
refuses('der-not-strict', 'a list of no names', () => names());
refuses('names-of-other-kind', 'a mail address', () => names(...goodNames, bytes(0x81, 'root@node1')), /rfc822Name/);
refuses('names-of-other-kind', 'a URI', () => names(...goodNames, bytes(0x86, 'https://node1')));
refuses('names-of-other-kind', 'an object identifier', () => names(...goodNames, bytes(0x88, Buffer.of(0x2a, 3))));
refuses('names-of-other-kind', 'a directory name', () => names(element(0xa4, sequence(organization, own))));
for (const name of ['node2', 'Node1', 'node1.', '*.node1', 'node1\0', 'node1.example.org', '', '192.168.31.136']) {
  refuses('name-not-planned', JSON.stringify(name), () => names(...goodNames, dns(name)));
}
refuses(
  'name-not-planned',
  "another node's address",
  () => names(dns('node1'), ip(192, 168, 31, 90)),
  /192\.168\.31\.90/,
);
refuses('name-not-planned', 'all addresses', () => names(dns('node1'), ip(0, 0, 0, 0)));
refuses('name-not-planned', 'a network', () => names(dns('node1'), ip(192, 168, 31, 136, 255, 255, 255, 255)));
refuses('name-not-planned', 'its address mapped into IPv6', () =>
  names(ip(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 168, 31, 136)),
);
refuses('der-malformed', 'an address as text', () => names(dns('node1'), bytes(0x87, '192.168.31.136')));
refuses('names-repeated', 'a name', () => names(dns('node1'), dns('node1')));
refuses('names-repeated', 'an address', () => names(...goodNames, ip(192, 168, 31, 136)));

// The client certificate with which a node joins. How its bytes are read, and its key and signature, is the same.
const client = clientCsrOf;
const clientSpec = (fields: Record<string, unknown>) => client({}, { spec: fields });
const clientSubject = (...rdns: CsrParts['subject'][]) => client({ subject: sequence(...rdns) });
approves('what kubelet asks for with its bootstrap token', () => client());
approves('the same of v1beta1, with a token', () => client({}, v1beta1));
approves('a node whose name has dots', () =>
  client(
    { subject: sequence(organization, commonName('system:node:node.example')) },
    {
      spec: {
        username: 'system:bootstrap:54321z',
        groups: ['system:authenticated', 'system:bootstrappers', 'system:bootstrappers:node-example'],
      },
    },
  ),
);
refuses(
  'signer-other',
  'a token, where the cluster approves',
  () => client(),
  /kube-apiserver-client-kubelet/,
  guidePlan,
);
refuses('signer-other', 'a token, for any client certificate', () =>
  clientSpec({ signerName: 'kubernetes.io/kube-apiserver-client' }),
);
refuses('requester-not-a-node', 'a token, for a serving certificate', () =>
  clientSpec({ signerName: 'kubernetes.io/kubelet-serving' }),
);

for (const username of ['kubernetes-admin', '', 'system:serviceaccount:default:default']) {
  refuses('requester-not-a-node', `a client certificate for ${JSON.stringify(username)}`, () =>
    clientSpec({ username }),
  );
}
for (const id of ['zzzzzz', '', 'ABCDEF', 'abcdef ', 'abcdef.0123456789abcdef']) {
  refuses('token-unknown', JSON.stringify(id), () => clientSpec({ username: `system:bootstrap:${id}` }));
}
refuses('token-unknown', 'of a node that has none', () =>
  client(
    { subject: sequence(organization, commonName('system:node:node6')) },
    { spec: { username: 'system:bootstrap:undefined' } },
  ),
);

const tokenGroups = ['system:bootstrappers', 'system:bootstrappers:node1', 'system:authenticated'];
approves('groups of a token in another order', () => clientSpec({ groups: [...tokenGroups].reverse() }));
refuses('groups-other', 'a token in no group', () => clientSpec({ groups: null }), /nothing/);
for (const missing of tokenGroups) {
  refuses('groups-other', `a token not in ${missing}`, () =>
    clientSpec({ groups: tokenGroups.filter((group) => group !== missing) }),
  );
}
refuses('groups-other', 'the group of another node', () =>
  clientSpec({ groups: tokenGroups.map((group) => group.replace('node1', 'node2')) }),
);
refuses('groups-other', 'a token in one group more', () => clientSpec({ groups: [...tokenGroups, 'system:nodes'] }));
refuses('groups-other', 'a node', () => clientSpec({ groups: ['system:nodes', 'system:authenticated'] }));

approves('usages of a client as since 1.27', () => clientSpec({ usages: ['digital signature', 'client auth'] }));
approves('usages of a client in another order', () =>
  clientSpec({ usages: ['client auth', 'key encipherment', 'digital signature'] }),
);
refuses('usages-other', 'a client without client auth', () => clientSpec({ usages: ['digital signature'] }));
refuses('usages-other', 'a client that serves', () => clientSpec({ usages: ['digital signature', 'server auth'] }));
refuses('usages-other', 'a client that serves too', () =>
  clientSpec({ usages: ['digital signature', 'client auth', 'server auth'] }),
);
refuses('usages-other', 'a node that is a client', () => spec({ usages: ['digital signature', 'client auth'] }));

approves('a client of the longest lifetime', () => clientSpec({ expirationSeconds: 31_536_000 }));
refuses('lifetime-out-of-bounds', 'a client for too long', () => clientSpec({ expirationSeconds: 31_536_001 }));
refuses('lifetime-out-of-bounds', 'a client for too short', () => clientSpec({ expirationSeconds: 599 }));

approves('RSA of a client', () => client({ ...goodParts(rsa2048, 'rsa-sha256'), attributes: attributes() }));
refuses('pem-not-canonical', 'of a client', () => clientSpec({ request: good.toString('base64') }));
refuses('key-unsuitable', 'of a client', () =>
  client({ ...goodParts(rsa(1024), 'rsa-sha256'), attributes: attributes() }),
);
refuses('signature-algorithm', 'of a client', () =>
  client({ ...goodParts(p256, 'ecdsa-sha1'), attributes: attributes() }),
);
refuses('signature-invalid', 'of a client', () => client({ signature: goodParts(ec('P-256')).signature }));

for (const other of ['node2', 'node.example', 'stranger', '', 'node1 ', 'Node1']) {
  refuses(
    'token-of-other-node',
    `for ${JSON.stringify(other)}`,
    () => clientSubject(organization, commonName(`system:node:${other}`)),
    /the token of node1/,
  );
}
refuses('subject-other', 'a client that is no node', () => clientSubject(organization, commonName('kubernetes-admin')));
refuses('subject-other', 'a client in another organization', () =>
  clientSubject(rdn('2.5.4.10', 'system:masters'), commonName('system:node:node1')),
);
refuses('subject-other', 'a client in two organizations', () =>
  clientSubject(organization, rdn('2.5.4.10', 'system:masters'), own),
);
refuses('subject-other', 'a client with one attribute more', () =>
  clientSubject(organization, own, rdn('2.5.4.11', 'nodes')),
);
refuses('subject-other', 'a client with two names', () =>
  clientSubject(organization, own, commonName('system:node:node2')),
);
refuses('subject-other', 'a client in another order', () => clientSubject(own, organization));
refuses('subject-other', 'a client in letters of another kind', () =>
  clientSubject(organization, rdn('2.5.4.3', 'system:node:node1', tags.teletex)),
);

refuses('content-unexpected', 'a client with names', () => client({ attributes: goodParts().attributes }));
refuses('content-unexpected', 'a client with another extension', () =>
  client({ attributes: attributes(extensionRequest(keyUsage)) }),
);
refuses('content-unexpected', 'a client with another attribute', () => client({ attributes: attributes(password) }));

refused('every reason has a case', () => {
  // Whether a request is the newest is another's to say.
  assert.deepEqual(
    Object.keys(refusalReasons).filter((reason) => !seen.has(reason)),
    ['superseded'],
  );
});

approved.run();
refused.run();
