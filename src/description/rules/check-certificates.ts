import type { X509Certificate } from 'node:crypto';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { quote } from '../../diagnostics/quote.ts';
import { commonNameOf, parseCertificate, pemBlocks } from '../certificates.ts';
import type { Inputs } from '../inputs.ts';
import type { Subject } from './rule.ts';

/** The CA goes to every node, and the apiserver's client certificate says who may talk to kubelet. */
export function* checkCertificates({ spec, inputs }: Subject): Iterable<Diagnostic> {
  const { certificateAuthority, kubeletClientCertificate, kubeletClientUser } = spec.controlPlane;
  const authorities = yield* checkFile(certificateAuthority, ['controlPlane', 'certificateAuthority'], inputs);
  for (const { name, certificate, path } of authorities) {
    if (certificate.ca) continue;
    const message = `${name} may not sign other certificates; name the file of the cluster's certificate authority`;
    yield { code: 'certificate-not-ca', path, at: 'value', message };
  }

  if (kubeletClientCertificate === undefined) return;
  const clients = yield* checkFile(kubeletClientCertificate, ['controlPlane', 'kubeletClientCertificate'], inputs);
  const [client, ...intermediates] = clients;
  if (client === undefined) return;
  yield* checkClient(client, kubeletClientUser);
  const trusted = authorities.filter(({ certificate }) => certificate.ca);
  if (
    trusted.length > 0 &&
    !isSignedBy(client.certificate, trusted.map(certificateOf), intermediates.map(certificateOf))
  ) {
    const message = `${client.name} is not signed by ${certificateAuthority}, so kubelet would refuse it; name a certificate of the same authority`;
    yield { code: 'client-certificate-foreign', path: client.path, at: 'value', message };
  }
}

interface Found {
  /** How messages call it. */
  readonly name: string;
  readonly certificate: X509Certificate;
  readonly path: Path;
}

const certificateOf = ({ certificate }: Found): X509Certificate => certificate;

/** Yields what is wrong with a file, and returns the certificates in it. */
function* checkFile(file: string, path: Path, { certificates, now }: Inputs): Generator<Diagnostic, Found[]> {
  const at = 'value';
  const read = certificates.get(file);
  if (read?.kind !== 'text') {
    const reason = read?.reason ?? 'was not read';
    const der = /UTF-8/.test(reason)
      ? '; if it is DER, `openssl x509 -inform der` makes PEM of it'
      : '; write its path relative to this file';
    yield { code: 'certificate-unreadable', path, at, message: `${file} ${reason}${der}` };
    return [];
  }
  const blocks = pemBlocks(read.text);
  if (blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))) {
    const message = `${file} holds a private key; name a file that holds the certificate alone, and keep the key where it is`;
    yield { code: 'private-key', path, at, message };
    return [];
  }
  const pems = blocks.filter(({ label }) => label === 'CERTIFICATE');
  if (pems.length === 0) {
    const holds = blocks[0] === undefined ? 'holds no PEM' : `holds a ${blocks[0].label}`;
    const message = `${file} ${holds}; a certificate starts with -----BEGIN CERTIFICATE-----`;
    yield { code: 'certificate-not-pem', path, at, message };
    return [];
  }
  const found: Found[] = [];
  for (const [index, { text }] of pems.entries()) {
    const name = pems.length === 1 ? file : `certificate ${index + 1} of ${file}`;
    const certificate = parseCertificate(text);
    if (certificate === undefined) {
      const message = `${name} cannot be decoded, and may be cut short; copy the file again`;
      yield { code: 'certificate-malformed', path, at, message };
      continue;
    }
    found.push({ name, certificate, path });
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    if (now > to) {
      const message = `${name} expired on ${inWords(to)}; renew it`;
      yield { code: 'certificate-expired', path, at, message };
    } else if (now < from) {
      const message = `${name} is valid from ${inWords(from)} on, and this machine's clock says ${inWords(now)}; correct the one that is wrong`;
      yield { code: 'certificate-not-yet-valid', path, at, message };
    }
  }
  return found;
}

/** To the second, as certificates count. */
function inWords(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** clientAuth and anyExtendedKeyUsage (RFC 5280, 4.2.1.12) */
const CLIENT_AUTH = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

function* checkClient({ name, certificate, path }: Found, user: string | undefined): Iterable<Diagnostic> {
  const at = 'value';
  const commonName = commonNameOf(certificate);
  if (commonName === undefined) {
    const message = `${name} names no user, since its subject has no CN; name the client certificate of the apiserver`;
    yield { code: 'client-certificate-without-name', path, at, message };
  } else if (user !== undefined && user !== commonName) {
    const message = `${name} is for the user ${quote(commonName)}, and kubeletClientUser is ${quote(user)}; remove one of the two`;
    yield { code: 'client-user-differs', path: ['controlPlane', 'kubeletClientUser'], at, message };
  }
  // node:crypto calls the extended key usage so; without one, a certificate is good for everything (RFC 5280, 4.2.1.12).
  const usages = certificate.keyUsage as string[] | undefined;
  if (usages?.some((usage) => CLIENT_AUTH.includes(usage)) === false) {
    const message = `${name} is not made for clients, so kubelet would refuse it; name the client certificate of the apiserver`;
    yield { code: 'client-certificate-usage', path, at, message };
  }
}

/** Whether a chain leads from a certificate to one of the authorities, as kubelet follows it. */
function isSignedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
): boolean {
  const issued = (issuer: X509Certificate): boolean =>
    certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  return (
    authorities.some(issued) ||
    intermediates.some(
      (issuer) =>
        issued(issuer) &&
        isSignedBy(
          issuer,
          authorities,
          intermediates.filter((other) => other !== issuer),
        ),
    )
  );
}
