import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { suite } from 'uvu';
import { authoritiesIn, checkCertificate } from '../../src/csr/check-certificate.ts';
import { sequence } from '../support/der.ts';
import {
  attributes,
  commonName,
  derOf,
  dns,
  extensionRequest,
  goodNames,
  goodParts,
  ip,
  namesExtension,
  organization,
  pemOf,
  rdn,
} from '../support/make-csr.ts';
import { issue, makeAuthority, requestedIn, type Certified } from '../support/make-certificate.ts';

// What a signer has issued is what was asked for, or is told.
const certificates = suite('issued certificates');

const authority = makeAuthority();
const another = makeAuthority();
const request = pemOf(derOf(goodParts()));

function check(changes: Partial<Certified>, { by = authority, asked = request, trusted = authority.certificate } = {}) {
  const certificate = issue({ ...requestedIn(asked), ...changes }, by.keys);
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return checkCertificate({ certificate: base64(certificate), request: base64(asked) }, authoritiesIn(trusted));
}

certificates('what was asked for', () => {
  assert.equal(check({}), undefined);
  assert.equal(check({ extensions: [namesExtension(...goodNames.toReversed())] }), undefined);
  assert.equal(check({}, { trusted: another.certificate + authority.certificate }), undefined);
});

certificates('an IPv6 address', () => {
  const names = namesExtension(dns('node1'), ip(0xfd, 0, 0, 0x31, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x44));
  const asked = pemOf(derOf({ ...goodParts(), attributes: attributes(extensionRequest(names)) }));
  assert.equal(check({}, { asked }), undefined);
});

certificates('a client certificate, which has no names', () => {
  const asked = pemOf(derOf({ ...goodParts(), attributes: attributes() }));
  assert.equal(check({}, { asked }), undefined);
  assert.equal(check({ extensions: [namesExtension(...goodNames)] }, { asked }), 'it is for other names');
});

certificates('another key', () => {
  const { key } = goodParts(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  assert.equal(check({ key }), 'it is for another key');
});

certificates('another subject', () => {
  const node2 = sequence(organization, commonName('system:node:node2'));
  const masters = sequence(rdn('2.5.4.10', 'system:masters'), commonName('system:node:node1'));
  const more = sequence(organization, rdn('2.5.4.11', 'more'), commonName('system:node:node1'));
  for (const subject of [node2, masters, more]) assert.equal(check({ subject }), 'it is for another subject');
});

certificates('other names', () => {
  const [name, address] = goodNames;
  assert.ok(name && address);
  for (const names of [[name], [name, address, dns('node2')], [name, ip(192, 168, 31, 90)]]) {
    assert.equal(check({ extensions: [namesExtension(...names)] }), 'it is for other names');
  }
  assert.equal(check({ extensions: [] }), 'it is for other names');
});

certificates('another authority', () => {
  assert.match(check({}, { by: another }) ?? '', /signed by another authority/);
  assert.match(check({}, { trusted: another.certificate }) ?? '', /signed by another authority/);
});

certificates('none', () => {
  const asked = Buffer.from(request).toString('base64');
  for (const certificate of ['', 'LS0t', asked]) {
    const trusted = authoritiesIn(authority.certificate);
    assert.equal(checkCertificate({ certificate, request: asked }, trusted), 'it is no certificate');
  }
});

certificates.run();
