import { isDeepStrictEqual } from 'node:util';
import { nodesGroup, type Plan, type PlannedIdentity } from '../cluster/planned-identity.ts';
import { quote } from '../diagnostics/quote.ts';
import type { CsrObject } from './csr-object.ts';
import { parseRequest, type CertificateRequest } from './parse-request.ts';
import { keyWeakness } from './read-key.ts';
import { refusal, type Refusal } from './refusal-reasons.ts';
import { isSigned } from './signature-algorithms.ts';

/** `key` is the SHA-256 of the key that is to be certified; a request that is refused may not have been read so far. */
export type Verdict =
  | { readonly kind: 'approve'; readonly key: string }
  | ({ readonly kind: 'refuse'; readonly key: string | undefined } & Refusal);

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers */
export const servingSigner = 'kubernetes.io/kubelet-serving';

/**
 * Whether a request for a serving certificate is exactly what the node that asks may ask for. It is refused unless every
 * check lets it pass, and the first that does not gives the reason. Whether it still waits, and is the newest of its node,
 * is for the Survey to say.
 */
export function judgeCsr({ spec }: CsrObject, plan: Plan): Verdict {
  const who = plan.get(spec.username);
  if (who === undefined) return refuse(checkSigner(spec) ?? strangerAsks(spec));
  const refused = checkSigner(spec) ?? checkGroups(spec) ?? checkUsages(spec, 'server auth') ?? checkLifetime(spec);
  if (refused !== undefined) return refuse(refused);
  const parsed = parseRequest(spec.request);
  if (parsed.kind === 'refused') return refuse(parsed.refusal);

  const { request } = parsed;
  const key = request.key.fingerprint;
  const found = checkKey(request) ?? checkSignature(request) ?? checkSubject(request, who) ?? checkNames(request, who);
  return found === undefined ? { kind: 'approve', key } : refuse(found, key);
}

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers */
export const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

/**
 * Whether a request for a client certificate is what the cluster approves by itself, from whoever has a bootstrap token, and is
 * for the node that is planned.
 * https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/apis/certificates/v1beta1/helpers.go
 */
export function judgeClientCsr({ spec }: CsrObject, who: PlannedIdentity): Verdict {
  if (spec.signerName !== clientSigner)
    return refuse(refusal('signer-other', `its signer is ${quote(spec.signerName ?? '')}`));
  const refused = checkUsages(spec, 'client auth');
  if (refused !== undefined) return refuse(refused);
  const parsed = parseRequest(spec.request);
  if (parsed.kind === 'refused') return refuse(parsed.refusal);

  const { request } = parsed;
  const key = request.key.fingerprint;
  const named = request.names.length > 0 ? refusal('content-unexpected', 'it has alternative names') : undefined;
  const found = checkSignature(request) ?? checkSubject(request, who) ?? named;
  return found === undefined ? { kind: 'approve', key } : refuse(found, key);
}

export function refuse(why: Refusal, key?: string): Verdict {
  return { kind: 'refuse', ...why, key };
}

type Spec = CsrObject['spec'];

function checkSigner({ signerName }: Spec): Refusal | undefined {
  if (signerName === servingSigner) return undefined;
  // v1beta1 leaves it out where the object is older than the field.
  if (signerName === undefined) return refusal('signer-missing', 'it names no signer');
  return refusal('signer-other', `its signer is ${quote(signerName)}`);
}

function strangerAsks({ username }: Spec): Refusal {
  if (!username.startsWith('system:node:')) return refusal('requester-not-a-node', `${quote(username)} asks`);
  return refusal('node-not-planned', `${quote(username)} asks, and no such node is planned`);
}

function checkGroups({ username, groups }: Spec): Refusal | undefined {
  if (isDeepStrictEqual([...(groups ?? [])].sort(), ['system:authenticated', nodesGroup])) return undefined;
  return refusal('groups-other', `${username} asks as a member of ${listed(groups ?? [])}`);
}

/** https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/certificate/kubelet.go, and without RSA since 1.27. */
function checkUsages({ usages }: Spec, use: 'server auth' | 'client auth'): Refusal | undefined {
  const asked = [...(usages ?? [])].sort();
  const good = ['digital signature', use];
  const withRsa = [...good, 'key encipherment'];
  if ([good, withRsa].some((usual) => isDeepStrictEqual(asked, usual.sort()))) return undefined;
  return refusal('usages-other', `it is to be for ${listed(usages ?? [])}`);
}

/** The apiserver's own least, and a year, for which Kubernetes signs when nobody says otherwise. */
const lifetime = { least: 600, most: 365 * 86_400 };

function checkLifetime({ expirationSeconds }: Spec): Refusal | undefined {
  const asked = expirationSeconds ?? lifetime.least;
  if (asked >= lifetime.least && asked <= lifetime.most) return undefined;
  return refusal('lifetime-out-of-bounds', `it is to live ${asked} seconds`);
}

function checkKey({ key }: CertificateRequest): Refusal | undefined {
  const weakness = keyWeakness(key);
  return weakness === undefined ? undefined : refusal('key-unsuitable', weakness);
}

function checkSignature(request: CertificateRequest): Refusal | undefined {
  if (isSigned(request, request.key)) return undefined;
  return refusal('signature-invalid', 'its signature is not by its key');
}

/** Object identifiers of organizationName and commonName, in the order in which Go and OpenSSL write them. */
function checkSubject({ subject }: CertificateRequest, { user }: PlannedIdentity): Refusal | undefined {
  if (isDeepStrictEqual(subject, [`2.5.4.10=${nodesGroup}`, `2.5.4.3=${user}`])) return undefined;
  return refusal('subject-other', `its subject is ${listed(subject)}`);
}

function checkNames({ names }: CertificateRequest, { name, address }: PlannedIdentity): Refusal | undefined {
  if (names.length === 0) return refusal('names-missing', 'it has no subject alternative names');
  const other = names.find(({ kind }) => kind === 'other');
  if (other !== undefined) return refusal('names-of-other-kind', `it names a ${other.text}`);
  const stranger = names.find(({ kind, text }) => text !== (kind === 'dns' ? name : address));
  if (stranger !== undefined) {
    return refusal('name-not-planned', `it names ${quote(stranger.text)}; the plan gives it ${name} and ${address}`);
  }
  if (new Set(names.map(({ kind }) => kind)).size < names.length) {
    return refusal('names-repeated', 'it names something twice');
  }
  return undefined;
}

function listed(texts: readonly string[]): string {
  return texts.length === 0 ? 'nothing' : texts.map(quote).join(', ');
}
