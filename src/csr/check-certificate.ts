import type { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import ipaddr from 'ipaddr.js';
import { parseCertificate, pemBlocks } from '../description/certificates.ts';
import { parseRequest, type CertificateRequest } from './parse-request.ts';

/** @param pem one or more certificates; what is none is left out */
export function authoritiesIn(pem: string): readonly X509Certificate[] {
  return pemBlocks(pem).flatMap(({ text }) => parseCertificate(text) ?? []);
}

/**
 * Whether what the signer has issued is what was asked for.
 * @param issued `status.certificate` and `spec.request`: base64 of PEM
 * @param authorities whom the clients of kubelets trust
 * @returns what is wrong with it, undefined for a certificate that is right
 */
export function checkCertificate(
  issued: { readonly certificate: string; readonly request: string },
  authorities: readonly X509Certificate[],
): string | undefined {
  const [block] = pemBlocks(Buffer.from(issued.certificate, 'base64').toString('latin1'));
  const certificate = block && parseCertificate(block.text);
  if (certificate === undefined) return 'it is no certificate';
  const parsed = parseRequest(issued.request);
  if (parsed.kind === 'refused') return `what was asked for cannot be read: ${parsed.refusal.message}`;

  const { key, subject, names } = parsed.request;
  const own = certificate.publicKey.export({ format: 'der', type: 'spki' });
  if (!own.equals(key.bytes)) return 'it is for another key';
  if (!isDeepStrictEqual(subjectOf(certificate), subject)) return 'it is for another subject';
  if (!isDeepStrictEqual(namesOf(certificate), namesIn(names))) return 'it is for other names';
  const isSigned = authorities.some((by) => certificate.checkIssued(by) && certificate.verify(by.publicKey));
  return isSigned ? undefined : "it is signed by another authority than the description's";
}

/** As parseRequest() has it; any other attribute than a kubelet's makes another subject. */
function subjectOf({ subject }: X509Certificate): string[] {
  return subject.split('\n').map((line) => line.replace(/^O=/, '2.5.4.10=').replace(/^CN=/, '2.5.4.3='));
}

/** node:crypto says `DNS:node1, IP Address:FD00:31:0:0:0:0:0:44`, and quotes what might be taken for something else. */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName?.split(', ') ?? [])
    .map((name) =>
      name.replace(/^IP Address:(.*)$/, (_, text: string) => {
        return `IP:${ipaddr.isValid(text) ? ipaddr.parse(text).toString() : text}`;
      }),
    )
    .sort();
}

function namesIn(names: CertificateRequest['names']): string[] {
  return names.map(({ kind, text }) => `${kind.toUpperCase()}:${text}`).sort();
}
