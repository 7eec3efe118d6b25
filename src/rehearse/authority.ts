import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_basicConstraints as basicConstraints,
  id_ce_extKeyUsage as extKeyUsage,
  id_ce_subjectAltName as subjectAltName,
  id_kp_clientAuth as clientAuth,
  id_kp_serverAuth as serverAuth,
} from '@peculiar/asn1-x509';

/** What a certificate is to say. */
export interface Certified {
  readonly organization?: string;
  readonly commonName: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly key: Uint8Array;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly use: 'client' | 'server' | 'authority';
}

const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
const HOUR_MS = 3_600_000;

/** A CA that lives as long as one rehearsal: it takes the place of the cluster's, whose key is not at hand. */
export class Authority {
  /** PEM. */
  readonly certificate: string;
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #name = `bake rehearsal ${randomBytes(4).toString('hex')}`;
  readonly #now: Date;

  constructor(now: Date) {
    this.#now = now;
    const key = this.#keys.publicKey.export({ type: 'spki', format: 'der' });
    this.certificate = this.issue({ commonName: this.#name, key, names: [], use: 'authority' });
  }

  /** @returns the certificate in PEM */
  issue({ organization, commonName, key, names, use }: Certified): string {
    const body = new TBSCertificate({
      version: Version.v3,
      // Positive, and of the same length each time.
      serialNumber: new Uint8Array([1, ...randomBytes(15)]).buffer,
      signature: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
      issuer: nameOf(undefined, this.#name),
      validity: new Validity({
        notBefore: new Date(this.#now.getTime() - HOUR_MS),
        notAfter: new Date(this.#now.getTime() + 24 * HOUR_MS),
      }),
      subject: nameOf(organization, commonName),
      subjectPublicKeyInfo: AsnConvert.parse(key, SubjectPublicKeyInfo),
      extensions: new Extensions(use === 'authority' ? [isAuthority()] : [forUse(use), ...forNames(names)]),
    });
    const signature = sign('sha256', new Uint8Array(AsnConvert.serialize(body)), this.#keys.privateKey);
    const certificate = new Certificate({
      tbsCertificate: body,
      signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
      signatureValue: new Uint8Array(signature).buffer,
    });
    return pem(AsnConvert.serialize(certificate));
  }

  /** A certificate for a server, and its key, both in PEM. */
  serve(names: readonly string[]): { readonly cert: string; readonly key: string } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = publicKey.export({ type: 'spki', format: 'der' });
    return {
      cert: this.issue({ commonName: 'kube-apiserver', key, names, use: 'server' }),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }
}

function nameOf(organization: string | undefined, commonName: string): Name {
  const parts = [
    ...(organization === undefined ? [] : [['2.5.4.10', organization] as const]),
    ['2.5.4.3', commonName] as const,
  ];
  return new Name(
    parts.map(([type, utf8String]) => {
      const value = new AttributeValue({ utf8String });
      return new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value })]);
    }),
  );
}

function isAuthority(): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(new BasicConstraints({ cA: true })));
  return new Extension({ extnID: basicConstraints, critical: true, extnValue });
}

function forUse(use: 'client' | 'server'): Extension {
  const usage = new ExtendedKeyUsage([use === 'client' ? clientAuth : serverAuth]);
  return new Extension({ extnID: extKeyUsage, extnValue: new OctetString(AsnConvert.serialize(usage)) });
}

function forNames(names: readonly string[]): Extension[] {
  if (names.length === 0) return [];
  const list = names.map((name) => new GeneralName(isIP(name) === 0 ? { dNSName: name } : { iPAddress: name }));
  const extnValue = new OctetString(AsnConvert.serialize(new SubjectAlternativeName(list)));
  return [new Extension({ extnID: subjectAltName, extnValue })];
}

function pem(der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
}
