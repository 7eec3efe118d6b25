import { X509Certificate } from 'node:crypto';
// In Node 20 it lacks createSecureContext() for good where toLegacyObject() loads part of it first, and nobody connects.
import 'node:tls';

/** One `-----BEGIN LABEL-----` … `-----END LABEL-----` of a PEM file (RFC 7468). */
export interface PemBlock {
  readonly label: string;
  readonly text: string;
}

export function pemBlocks(text: string): PemBlock[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?(?:-----END \1-----|$(?![^]))/g);
  return [...blocks].map(([block, label = '']) => ({ label, text: block }));
}

/** Undefined where it is no certificate, is cut short, or holds a key or a time that nobody can read. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem);
    // node:crypto decodes these when they are asked for.
    const times = [certificate.validFrom, certificate.validTo].map((time) => Date.parse(time));
    return certificate.publicKey.type === 'public' && !times.includes(NaN) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** The user that an apiserver or kubelet sees in a client certificate; of several, the last, as Go takes it. */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  const names: string | string[] | undefined = certificate.toLegacyObject().subject.CN;
  return typeof names === 'string' ? names : names?.at(-1);
}
