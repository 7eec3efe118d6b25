import type { X509Certificate } from 'node:crypto';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { quote } from '../../diagnostics/quote.ts';
import { commonNameOf } from '../certificates.ts';
import { readCertificates } from './read-certificates.ts';
import type { Subject } from './rule.ts';

/** With this certificate the apiserver calls kubelets; bake reads from it whom the RBAC rules allow to. */
export function* checkClientCertificate({ spec, inputs }: Subject): Iterable<Diagnostic> {
  const { certificateAuthority, kubeletClientCertificate, kubeletClientUser } = spec.controlPlane;
  if (kubeletClientCertificate === undefined) return;
  const path = ['controlPlane', 'kubeletClientCertificate'];
  const at = 'value';
  const { found, mistakes } = readCertificates(kubeletClientCertificate, path, inputs);
  yield* mistakes;
  const [client, ...others] = found;
  if (client === undefined) return;
  const { name, certificate } = client;

  const user = commonNameOf(certificate);
  if (user === undefined) {
    const message = `${name} names no user, since its subject has no CN; name the client certificate of the apiserver`;
    yield { code: 'client-certificate-without-name', path, at, message };
  } else if (kubeletClientUser !== undefined && kubeletClientUser !== user) {
    const fact = `${name} is for the user ${quote(user)}, and kubeletClientUser is ${quote(kubeletClientUser)}`;
    const message = `${fact}; remove one of the two`;
    yield { code: 'client-user-differs', path: ['controlPlane', 'kubeletClientUser'], at, message };
  }
  if (!isForClients(certificate)) {
    const message = `${name} is not made for clients, so kubelet would refuse it; name the client certificate of the apiserver`;
    yield { code: 'client-certificate-usage', path, at, message };
  }
  const authorities = readCertificates(certificateAuthority, path, inputs).found.map((other) => other.certificate);
  const intermediates = others.map((other) => other.certificate);
  if (authorities.length > 0 && !isSignedBy(certificate, authorities, intermediates)) {
    const message = `${name} is not signed by ${certificateAuthority}, so kubelet would refuse it; name a certificate of the same authority`;
    yield { code: 'client-certificate-foreign', path, at, message };
  }
}

/** Without an extended key usage a certificate is good for everything (RFC 5280, 4.2.1.12). */
function isForClients({ keyUsage }: X509Certificate): boolean {
  // node:crypto calls the extended key usage so, and leaves it undefined where there is none.
  const usages = keyUsage as readonly string[] | undefined;
  const [clientAuth, any] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];
  return usages?.some((usage) => usage === clientAuth || usage === any) ?? true;
}

/** Whether a chain leads from a certificate to one of the authorities, as kubelet follows it. */
function isSignedBy(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
): boolean {
  const trusted = new Set(authorities);
  // The loop also comes to what is added while it runs.
  for (const issuer of trusted) {
    if (!issuer.ca) continue;
    if (isIssuedBy(certificate, issuer)) return true;
    for (const other of intermediates) if (isIssuedBy(other, issuer)) trusted.add(other);
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
