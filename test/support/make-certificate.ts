import { generateKeyPairSync, sign } from 'node:crypto';
import { algorithmElement, dns, ip, namesExtension, rdn } from './make-csr.ts';
import { bits, bytes, decode, element, encode, sequence, tags } from './der.ts';

/** A certificate for 127.0.0.1 that signs itself, and its key, in PEM; node:crypto reads them and makes none. */
export function makeCertificate(): { readonly certificate: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(rdn('2.5.4.3', 'kubernetes'));
  const generalizedTime = 0x18;
  const validity = ['20200101000000Z', '21200101000000Z'].map((time) => bytes(generalizedTime, time));
  const info = sequence(
    element(0xa0, bytes(tags.integer, Buffer.of(2))),
    bytes(tags.integer, Buffer.of(1)),
    algorithmElement('ecdsa-sha256'),
    name,
    sequence(...validity),
    name,
    decode(publicKey.export({ type: 'spki', format: 'der' })),
    element(0xa3, sequence(namesExtension(dns('localhost'), ip(127, 0, 0, 1)))),
  );
  const signature = bits(sign('sha256', encode(info), privateKey));
  const der = encode(sequence(info, algorithmElement('ecdsa-sha256'), signature));
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
