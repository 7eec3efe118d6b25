import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { readCertificates } from './read-certificates.ts';
import type { Subject } from './rule.ts';

/** The authority goes to every node, which trusts whatever it signs. */
export function* checkCertificateAuthority({ spec, inputs }: Subject): Iterable<Diagnostic> {
  const path = ['controlPlane', 'certificateAuthority'];
  const { found, mistakes } = readCertificates(spec.controlPlane.certificateAuthority, path, inputs);
  yield* mistakes;
  for (const { name, certificate } of found) {
    if (certificate.ca) continue;
    const message = `${name} may not sign other certificates; name the file of the cluster's certificate authority`;
    yield { code: 'certificate-not-ca', path, at: 'value', message };
  }
}
