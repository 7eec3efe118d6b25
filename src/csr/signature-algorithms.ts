import { verify } from 'node:crypto';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import type { RequestKey } from './read-key.ts';

interface SignatureAlgorithm {
  readonly name: string;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** Undefined where the algorithm has its own. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512';
}

/** What Go and OpenSSL sign requests with, by object identifier (RFC 4055, RFC 5758, RFC 8410). */
const signatureAlgorithms: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.11': { name: 'SHA-256 with RSA', keyType: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { name: 'SHA-384 with RSA', keyType: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { name: 'SHA-512 with RSA', keyType: 'rsa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { name: 'ECDSA with SHA-256', keyType: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { name: 'ECDSA with SHA-384', keyType: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { name: 'ECDSA with SHA-512', keyType: 'ec', hash: 'sha512' },
  '1.3.101.112': { name: 'Ed25519', keyType: 'ed25519' },
};

const weakAlgorithms: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.4': 'MD5 with RSA',
  '1.2.840.113549.1.1.5': 'SHA-1 with RSA',
  '1.2.840.10045.4.1': 'ECDSA with SHA-1',
};

/** For a message. */
export function nameOfAlgorithm(identifier: string): string {
  return signatureAlgorithms[identifier]?.name ?? weakAlgorithms[identifier] ?? identifier;
}

export function isGoodAlgorithm(identifier: string): boolean {
  return identifier in signatureAlgorithms;
}

/** As it has to be written: with RSA there is a NULL after it, else nothing. */
export function algorithmIdentifier(algorithm: string): AlgorithmIdentifier {
  const isRsa = signatureAlgorithms[algorithm]?.keyType === 'rsa';
  return new AlgorithmIdentifier(isRsa ? { algorithm, parameters: null } : { algorithm });
}

/** Whether what was signed was signed with this key, by an algorithm of its kind. */
export function isSigned(
  { algorithm, signed, signature }: { algorithm: string; signed: Uint8Array; signature: Uint8Array },
  { object }: RequestKey,
): boolean {
  const known = signatureAlgorithms[algorithm];
  return known?.keyType === object.asymmetricKeyType && verify(known?.hash, signed, object, signature);
}
