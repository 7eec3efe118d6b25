import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** The key of a request; of what kinds it may be, keyWeakness() says. */
export interface RequestKey {
  readonly object: KeyObject;
  /** SubjectPublicKeyInfo in DER, made anew from the numbers of the key. */
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, in hex. */
  readonly fingerprint: string;
}

/**
 * Reads a key by OpenSSL, and writes it anew from its numbers (by way of a JWK), so that nothing is left of how it was
 * written: curves by their parameters, compressed points, long lengths.
 * @param spki SubjectPublicKeyInfo, in DER or not quite
 * @returns undefined where it is no key, or of a kind that has no JWK
 */
export function readKey(spki: Uint8Array): RequestKey | undefined {
  try {
    const read = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    const object = createPublicKey({ key: read.export({ format: 'jwk' }), format: 'jwk' });
    const bytes = object.export({ format: 'der', type: 'spki' });
    return { object, bytes, fingerprint: createHash('sha256').update(bytes).digest('hex') };
  } catch {
    return undefined;
  }
}

/** Beyond, Go's TLS does not verify: https://github.com/golang/go/blob/go1.26.0/src/crypto/tls/handshake_client.go */
const MAX_RSA_BITS = 8192;

/** What keeps a key from a serving certificate; undefined for a good one. Go's own checks let RSA of 1024 bits pass. */
export function keyWeakness({ object }: RequestKey): string | undefined {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = object.asymmetricKeyDetails ?? {};
  switch (object.asymmetricKeyType) {
    case 'ed25519':
      return undefined;
    case 'ec':
      return ['prime256v1', 'secp384r1', 'secp521r1'].includes(namedCurve) ? undefined : `the curve is ${namedCurve}`;
    case 'rsa':
      if (modulusLength < 2048 || modulusLength > MAX_RSA_BITS) return `RSA of ${modulusLength} bits`;
      return isSound(publicExponent) ? undefined : `RSA with the exponent ${publicExponent}`;
    default:
      return `a key of the kind ${object.asymmetricKeyType ?? 'unknown'}`;
  }
}

/** FIPS 186-5, A.1.1: odd and above 2^16; and Go has 31 bits for it. */
function isSound(exponent: bigint): boolean {
  return exponent > 0x10000n && exponent < 0x80000000n && exponent % 2n === 1n;
}
