import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { bits, bytes, decode, element, encode, oid, sequence, set, tags, type Element } from './der.ts';

/** A request in its parts, each of which a test may replace. */
export interface CsrParts {
  readonly version: Element;
  readonly subject: Element;
  readonly key: Element;
  readonly attributes: Element;
  readonly signatureAlgorithm: Element;
  readonly signature: (signed: Buffer) => Element;
}

export interface Keys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export const p256: Keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const algorithms = {
  'ecdsa-sha256': { oid: '1.2.840.10045.4.3.2', hash: 'sha256' },
  'ecdsa-sha384': { oid: '1.2.840.10045.4.3.3', hash: 'sha384' },
  'ecdsa-sha512': { oid: '1.2.840.10045.4.3.4', hash: 'sha512' },
  'ecdsa-sha1': { oid: '1.2.840.10045.4.1', hash: 'sha1' },
  'rsa-sha256': { oid: '1.2.840.113549.1.1.11', hash: 'sha256' },
  'rsa-sha384': { oid: '1.2.840.113549.1.1.12', hash: 'sha384' },
  'rsa-sha512': { oid: '1.2.840.113549.1.1.13', hash: 'sha512' },
  'rsa-sha1': { oid: '1.2.840.113549.1.1.5', hash: 'sha1' },
  'rsa-md5': { oid: '1.2.840.113549.1.1.4', hash: 'md5' },
  ed25519: { oid: '1.3.101.112', hash: null },
} as const;

export type AlgorithmName = keyof typeof algorithms;

export function algorithmElement(name: AlgorithmName): Element {
  return sequence(oid(algorithms[name].oid), ...(name.startsWith('rsa') ? [bytes(tags.null, '')] : []));
}

/** `2.5.4.10=system:nodes` in an RDN of its own. */
export function rdn(type: string, text: string, tag: number = tags.printable): Element {
  return set(sequence(oid(type), bytes(tag, text)));
}

export const organization = rdn('2.5.4.10', 'system:nodes');
export const commonName = (name: string): Element => rdn('2.5.4.3', name);

export const dns = (name: string): Element => bytes(0x82, name);
/** Four numbers, or sixteen. */
export const ip = (...numbers: number[]): Element => bytes(0x87, Buffer.from(numbers));

export function namesExtension(...names: Element[]): Element {
  return sequence(oid('2.5.29.17'), element(tags.octetString, sequence(...names)));
}

export function extensionRequest(...extensions: Element[]): Element {
  return sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...extensions)));
}

export const attributes = (...content: Element[]): Element => element(0xa0, ...content);

export const goodNames = [dns('node1'), ip(192, 168, 31, 136)];

/** What the kubelet of the guide's node1 asks for. */
export function goodParts(keys = p256, algorithm: AlgorithmName = 'ecdsa-sha256'): CsrParts {
  return {
    version: bytes(tags.integer, Buffer.of(0)),
    subject: sequence(organization, commonName('system:node:node1')),
    key: decode(keys.publicKey.export({ type: 'spki', format: 'der' })),
    attributes: attributes(extensionRequest(namesExtension(...goodNames))),
    signatureAlgorithm: algorithmElement(algorithm),
    signature: (signed) => bits(sign(algorithms[algorithm].hash, signed, keys.privateKey)),
  };
}

/** What another node asks for differs in that; `address` in octets. */
export function servingParts(node: string, address: readonly number[]): Pick<CsrParts, 'subject' | 'attributes'> {
  return {
    subject: sequence(organization, commonName(`system:node:${node}`)),
    attributes: attributes(extensionRequest(namesExtension(dns(node), ip(...address)))),
  };
}

export function derOf(parts: CsrParts): Buffer {
  const { version, subject, key, attributes: asked } = parts;
  return signedDer(encode(sequence(version, subject, key, asked)), parts);
}

/** A request around bytes that are signed as they are. */
export function signedDer(signed: Buffer, { signatureAlgorithm, signature }: CsrParts): Buffer {
  const body = Buffer.concat([signed, encode(signatureAlgorithm), encode(signature(signed))]);
  return encode(bytes(tags.sequence, body));
}

export function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}-----END CERTIFICATE REQUEST-----\n`;
}

type Json = Record<string, unknown>;

/** The object that the guide's node1 would post, with some of it replaced. */
export function csrObject(
  pem: string,
  { spec = {}, metadata = {}, ...others }: Json & { spec?: Json; metadata?: Json } = {},
): Json {
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: {
      name: 'csr-prd8t',
      uid: '7bb2c6d6-8a4b-4a44-a4f8-6d1c5d2f7c9e',
      resourceVersion: '1042',
      creationTimestamp: '2020-08-02T14:50:00Z',
      ...metadata,
    },
    spec: {
      request: Buffer.from(pem, 'latin1').toString('base64'),
      signerName: 'kubernetes.io/kubelet-serving',
      username: 'system:node:node1',
      groups: ['system:nodes', 'system:authenticated'],
      usages: ['digital signature', 'key encipherment', 'server auth'],
      ...spec,
    },
    status: {},
    ...others,
  };
}

/** What is different where a kubelet asks for its client certificate, by the token of node1. */
const clientSpec: Json = {
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  username: 'system:bootstrap:abcdef',
  groups: ['system:bootstrappers', 'system:bootstrappers:node1', 'system:authenticated'],
  usages: ['digital signature', 'key encipherment', 'client auth'],
};

/** As csrObject(), for the client certificate with which node1 joins. */
export function clientCsrObject(pem: string, others: Parameters<typeof csrObject>[1] = {}): Json {
  return csrObject(pem, { ...others, spec: { ...clientSpec, ...others.spec } });
}

export function clientCsrOf(parts: Partial<CsrParts> = {}, others: Parameters<typeof csrObject>[1] = {}): Json {
  return clientCsrObject(pemOf(derOf({ ...goodParts(), attributes: attributes(), ...parts })), others);
}

export function csrOf(parts: Partial<CsrParts> = {}, others: Parameters<typeof csrObject>[1] = {}): Json {
  return csrObject(pemOf(derOf({ ...goodParts(), ...parts })), others);
}
