import type { X509Certificate } from 'node:crypto';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { parseCertificate, pemBlocks } from '../certificates.ts';
import type { Inputs } from '../inputs.ts';

export interface FoundCertificate {
  /** How messages call it: `ca.pem`, or `certificate 2 of ca.pem`. */
  readonly name: string;
  readonly certificate: X509Certificate;
}

/**
 * The certificates of a file that the description names, and what is wrong with it.
 * @param path where the description names it
 */
export function readCertificates(
  file: string,
  path: Path,
  { files, now }: Inputs,
): { found: FoundCertificate[]; mistakes: Diagnostic[] } {
  const mistake = (code: Diagnostic['code'], message: string): Diagnostic => ({ code, path, at: 'value', message });
  const stop = (code: Diagnostic['code'], message: string) => ({ found: [], mistakes: [mistake(code, message)] });

  const read = files.get(file);
  if (read?.kind !== 'text') {
    const reason = read?.reason ?? 'was not read';
    const remedy = reason.includes('UTF-8')
      ? 'if it is DER, `openssl x509 -inform der` makes PEM of it'
      : remedyFor(file);
    return stop('certificate-unreadable', `${file} ${reason}; ${remedy}`);
  }
  const blocks = pemBlocks(read.text);
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    const remedy = 'name a file that holds the certificate alone, and keep the key where it is';
    return stop('private-key', `${file} holds a private key; ${remedy}`);
  }
  const pems = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (pems.length === 0) {
    const holds = blocks[0] === undefined ? 'holds no PEM' : `holds a ${blocks[0].label}`;
    return stop('certificate-not-pem', `${file} ${holds}; a certificate starts with -----BEGIN CERTIFICATE-----`);
  }

  const found: FoundCertificate[] = [];
  const mistakes: Diagnostic[] = [];
  for (const [index, { text }] of pems.entries()) {
    const name = pems.length === 1 ? file : `certificate ${index + 1} of ${file}`;
    const certificate = parseCertificate(text);
    if (certificate === undefined) {
      const message = `${name} cannot be decoded, and may be cut short; copy the file again`;
      mistakes.push(mistake('certificate-malformed', message));
      continue;
    }
    found.push({ name, certificate });
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    if (now > to) mistakes.push(mistake('certificate-expired', `${name} expired on ${inWords(to)}; renew it`));
    if (now < from) {
      const fact = `${name} is valid from ${inWords(from)} on, and this machine's clock says ${inWords(now)}`;
      mistakes.push(mistake('certificate-not-yet-valid', `${fact}; correct the one that is wrong`));
    }
  }
  return { found, mistakes };
}

function remedyFor(file: string): string {
  if (file.startsWith('-----BEGIN')) return 'name a file that holds the certificate, instead of the certificate itself';
  if (file.startsWith('~')) return 'write the whole path, since ~ is not expanded here';
  return "copy it there, or correct the path, which starts from this file's folder";
}

/** To the second, as certificates count. */
function inWords(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}
