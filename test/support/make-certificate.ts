import { generateKeyPairSync, sign } from 'node:crypto';
import { bits, bytes, decode, element, encode, oid, sequence, tags, type Element } from './der.ts';
import { algorithmElement, dns, goodParts, ip, namesExtension, rdn, type Keys } from './make-csr.ts';

// node:crypto reads certificates and makes none.

export interface Authority {
  readonly certificate: string;
  readonly keys: Keys;
}

/** Of which a certificate is made, as DER has it. */
export interface Certified {
  readonly subject: Element;
  readonly key: Element;
  readonly extensions: readonly Element[];
}

const issuer = sequence(rdn('2.5.4.3', 'kubernetes'));

/** An authority that serves on 127.0.0.1 too. */
export function makeAuthority(): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = namesExtension(dns('localhost'), ip(127, 0, 0, 1));
  const isAuthority = sequence(bytes(tags.boolean, Buffer.of(0xff)));
  const constraints = sequence(oid('2.5.29.19'), element(tags.octetString, isAuthority));
  const { key } = goodParts(keys);
  return { certificate: issue({ subject: issuer, key, extensions: [names, constraints] }, keys), keys };
}

export function issue({ subject, key, extensions }: Certified, { privateKey }: Keys): string {
  const generalizedTime = 0x18;
  const validity = ['20200101000000Z', '21200101000000Z'].map((time) => bytes(generalizedTime, time));
  const info = sequence(
    element(0xa0, bytes(tags.integer, Buffer.of(2))),
    bytes(tags.integer, Buffer.of(1)),
    algorithmElement('ecdsa-sha256'),
    issuer,
    sequence(...validity),
    subject,
    key,
    ...(extensions.length === 0 ? [] : [element(0xa3, sequence(...extensions))]),
  );
  const signature = bits(sign('sha256', encode(info), privateKey));
  const der = encode(sequence(info, algorithmElement('ecdsa-sha256'), signature));
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}

/** What a request in PEM asks for, where it is one of goodParts(), or the same without names. */
export function requestedIn(pem: string): Certified {
  const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
  const [info] = childrenOf(decode(der));
  const [, subject, key, attributes] = childrenOf(info);
  const [attribute] = childrenOf(attributes);
  const [, values] = childrenOf(attribute);
  const [list] = childrenOf(values);
  if (subject === undefined || key === undefined) throw new Error('no good request');
  return { subject, key, extensions: childrenOf(list) };
}

function childrenOf(parent: Element | undefined): readonly Element[] {
  return parent === undefined || Buffer.isBuffer(parent.content) ? [] : parent.content;
}
