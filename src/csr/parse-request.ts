import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  Attribute,
  Extension,
  Extensions,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  id_ce_subjectAltName as subjectAltName,
  type AttributeTypeAndValue,
  type AttributeValue,
  type GeneralName,
  type Name,
} from '@peculiar/asn1-x509';
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { decodePem } from './decode-pem.ts';
import { readKey, type RequestKey } from './read-key.ts';
import { refusal, type Refusal } from './refusal-reasons.ts';
import { algorithmIdentifier, isGoodAlgorithm, nameOfAlgorithm } from './signature-algorithms.ts';

/** What a request says (PKCS #10, RFC 2986). */
export interface CertificateRequest {
  /** Attribute by attribute: `2.5.4.10=system:nodes`; those of one RDN are joined by +. */
  readonly subject: readonly string[];
  readonly names: readonly RequestedName[];
  readonly key: RequestKey;
  /** Object identifier of the signature's algorithm. */
  readonly algorithm: string;
  /** The bytes that are signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export type RequestedName = { readonly kind: 'dns' | 'ip' | 'other'; readonly text: string };

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: CertificateRequest }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** extensionRequest of PKCS #9: https://www.rfc-editor.org/rfc/rfc2985#section-5.4.2 */
const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * Reads a request of the form that kubelets make. The library reads BER; so what was read is written anew, in DER, and must
 * be the bytes that came: whatever is written in another way, or is there besides, does not come back.
 * @param request `spec.request`: base64 of PEM
 */
export function parseRequest(request: string): ParsedRequest {
  try {
    return { kind: 'request', request: parse(request) };
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', refusal: error.refusal };
    // The library throws at what it cannot read, in many ways, and in words about its schemas.
    return { kind: 'refused', refusal: refusal('der-malformed', 'it cannot be read as a PKCS #10 request') };
  }
}

/** Leaves the parser from anywhere in it. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(...parameters: Parameters<typeof refusal>) {
    super();
    this.refusal = refusal(...parameters);
  }
}

function parse(base64: string): CertificateRequest {
  const der = decodePem(base64);
  if (der === undefined) throw new Refused('pem-not-canonical', 'the request is not one canonical PEM block');
  const outer = AsnConvert.parse(der, CertificationRequest);
  const { subject, subjectPKInfo, attributes } = outer.certificationRequestInfo;
  const algorithm = outer.signatureAlgorithm.algorithm;
  if (!isGoodAlgorithm(algorithm)) {
    throw new Refused('signature-algorithm', `it is signed by ${nameOfAlgorithm(algorithm)}`);
  }
  const key = readKey(new Uint8Array(AsnConvert.serialize(subjectPKInfo)));
  if (key === undefined) throw new Refused('key-unsuitable', 'its key cannot be read, or is of no usual kind');

  const names = requestedNames(attributes);
  const again = encode({ subject, key, names, algorithm, signature: outer.signature });
  if (!Buffer.from(again).equals(der))
    throw new Refused('der-not-strict', 'its bytes are not the DER of what they say');
  return {
    subject: textsOf(subject),
    names: names.map(readName),
    key,
    algorithm,
    signed: new Uint8Array(outer.certificationRequestInfoRaw ?? []),
    signature: new Uint8Array(outer.signature),
  };
}

/** The one thing that a request may ask for: subject alternative names. */
function requestedNames(attributes: Attributes): readonly GeneralName[] {
  const [attribute, ...others] = attributes;
  if (attribute === undefined) return [];
  const [value] = attribute.values;
  if (attribute.type !== extensionRequest || others.length > 0 || value === undefined) {
    throw new Refused('content-unexpected', 'it has other attributes than one request for extensions');
  }
  const [extension, ...more] = AsnConvert.parse(value, Extensions);
  if (extension?.extnID !== subjectAltName || more.length > 0) {
    throw new Refused('content-unexpected', 'it asks for other extensions than subject alternative names');
  }
  return [...AsnConvert.parse(extension.extnValue.buffer, SubjectAlternativeName)];
}

interface Said {
  readonly subject: Name;
  readonly key: RequestKey;
  readonly names: readonly GeneralName[];
  readonly algorithm: string;
  readonly signature: ArrayBuffer;
}

/** The DER of a request that says this, made from its parts as PKCS #10 wants them. */
function encode({ subject, key, names, algorithm, signature }: Said): ArrayBuffer {
  const extnValue = new OctetString(AsnConvert.serialize(new SubjectAlternativeName([...names])));
  const extensions = new Extensions([new Extension({ extnID: subjectAltName, extnValue })]);
  const asked = new Attribute({ type: extensionRequest, values: [AsnConvert.serialize(extensions)] });
  const info = new CertificationRequestInfo({
    subject,
    subjectPKInfo: AsnConvert.parse(key.bytes, SubjectPublicKeyInfo),
    attributes: new Attributes(names.length === 0 ? [] : [asked]),
  });
  const signatureAlgorithm = algorithmIdentifier(algorithm);
  return AsnConvert.serialize(
    new CertificationRequest({ certificationRequestInfo: info, signatureAlgorithm, signature }),
  );
}

/** Strings of other kinds than these two Go reads in its own way, or not at all; they come back as no text. */
function textsOf(subject: Name): string[] {
  // The library's arrays cannot be mapped: what comes of it would be of their class.
  return Array.from(subject, (rdn) => Array.from(rdn, textOf).join('+'));
}

function textOf({ type, value }: AttributeTypeAndValue): string {
  const { printableString, utf8String }: Partial<AttributeValue> = value;
  return `${type}=${printableString ?? utf8String ?? '?'}`;
}

function readName({ dNSName, iPAddress, ...others }: Partial<GeneralName>): RequestedName {
  if (dNSName !== undefined) return { kind: 'dns', text: dNSName };
  // In the spelling of the plan.
  if (iPAddress !== undefined) {
    return { kind: 'ip', text: isIPv6(iPAddress) ? ipaddr.parse(iPAddress).toString() : iPAddress };
  }
  const kind =
    Object.entries(others as Record<string, unknown>).find(([, value]) => value !== undefined)?.[0] ?? 'unknown';
  return { kind: 'other', text: kind };
}
