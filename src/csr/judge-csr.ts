import { isDeepStrictEqual } from 'node:util';
import { nodesGroup, type PlannedIdentity } from '../cluster/planned-identity.ts';
import { quote } from '../diagnostics/quote.ts';
import { bootstrapGroup, bootstrappersGroup } from '../tokens/bootstrap-group.ts';
import type { CsrObject } from './csr-object.ts';
import { parseRequest, type CertificateRequest } from './parse-request.ts';
import { tokenUsers, useOf, type Plan, type Use } from './plan.ts';
import { keyWeakness } from './read-key.ts';
import { refusal, type Refusal } from './refusal-reasons.ts';
import { isSigned } from './signature-algorithms.ts';

/** `key` is the SHA-256 of the key that is to be certified; a request that is refused may not have been read so far. */
export type Verdict =
  | { readonly kind: 'approve'; readonly key: string }
  | ({ readonly kind: 'refuse'; readonly key: string | undefined } & Refusal);

/**
 * Whether a request is exactly what who asks may ask for: a serving certificate the node itself, a client certificate who
 * has the bootstrap token of the node. It is refused unless every check lets it pass, and the first that does not gives the
 * reason. Whether it still waits, and is the newest of who asks, is for the Survey to say.
 */
export function judgeCsr({ spec }: CsrObject, plan: Plan): Verdict {
  const use = useOf(spec.signerName);
  const askers = use && plan[use];
  if (use === undefined || askers === undefined) return refuse(otherSigner(spec));
  const who = askers.get(spec.username);
  if (who === undefined) return refuse(strangers[use](spec));
  const refused = checkGroups(spec, groups[use](who)) ?? checkUsages(spec, use) ?? checkLifetime(spec);
  if (refused !== undefined) return refuse(refused);
  const parsed = parseRequest(spec.request);
  if (parsed.kind === 'refused') return refuse(parsed.refusal);

  const { request } = parsed;
  const key = request.key.fingerprint;
  const found =
    checkKey(request) ?? checkSignature(request) ?? checkSubject(request, who, use) ?? checkNames[use](request, who);
  return found === undefined ? { kind: 'approve', key } : refuse(found, key);
}

/** A node renews its client certificate as the user that it is, and the cluster approves that in any case. */
export function isRenewal({ spec }: CsrObject): boolean {
  return useOf(spec.signerName) === 'client' && spec.username.startsWith(nodeUsers);
}

export function refuse(why: Refusal, key?: string): Verdict {
  return { kind: 'refuse', ...why, key };
}

type Spec = CsrObject['spec'];

function otherSigner({ signerName }: Spec): Refusal {
  // v1beta1 leaves it out where the object is older than the field.
  if (signerName === undefined) return refusal('signer-missing', 'it names no signer');
  return refusal('signer-other', `its signer is ${quote(signerName)}`);
}

const nodeUsers = 'system:node:';

/** What to say of those who may ask for no certificate of this use. */
const strangers: Readonly<Record<Use, (spec: Spec) => Refusal>> = {
  serving({ username }) {
    if (!username.startsWith(nodeUsers)) return refusal('requester-not-a-node', `${quote(username)} asks`);
    return refusal('node-not-planned', `${quote(username)} asks, and no such node is planned`);
  },
  client({ username }) {
    if (!username.startsWith(tokenUsers)) return refusal('requester-not-a-node', `${quote(username)} asks`);
    return refusal('token-unknown', `${quote(username)} asks, and no planned node has this token`);
  },
};

/** By which a credential is just the one that it should be. */
const groups: Readonly<Record<Use, (who: PlannedIdentity) => readonly string[]>> = {
  serving: () => ['system:authenticated', nodesGroup],
  client: ({ name }) => ['system:authenticated', bootstrappersGroup, bootstrapGroup(name)],
};

function checkGroups({ username, groups: asked }: Spec, expected: readonly string[]): Refusal | undefined {
  if (isDeepStrictEqual([...(asked ?? [])].sort(), [...expected].sort())) return undefined;
  return refusal('groups-other', `${username} asks as a member of ${listed(asked ?? [])}`);
}

/** https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/certificate/kubelet.go, and without RSA since 1.27. */
function checkUsages({ usages }: Spec, use: Use): Refusal | undefined {
  const asked = [...(usages ?? [])].sort();
  const good = ['digital signature', use === 'client' ? 'client auth' : 'server auth'];
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
function checkSubject({ subject }: CertificateRequest, { name, user }: PlannedIdentity, use: Use): Refusal | undefined {
  const [organization, commonName = '', ...more] = subject;
  const isOfNodes = organization === `2.5.4.10=${nodesGroup}` && more.length === 0;
  if (isOfNodes && commonName === `2.5.4.3=${user}`) return undefined;
  const [, other] = /^2\.5\.4\.3=(system:node:.*)$/s.exec(commonName) ?? [];
  if (use === 'client' && isOfNodes && other !== undefined) {
    return refusal('token-of-other-node', `it asks with the token of ${name} to be ${quote(other)}`);
  }
  return refusal('subject-other', `its subject is ${listed(subject)}`);
}

const checkNames: Readonly<Record<Use, (request: CertificateRequest, who: PlannedIdentity) => Refusal | undefined>> = {
  serving: checkServingNames,
  client: ({ names }) =>
    names.length === 0 ? undefined : refusal('content-unexpected', 'it has subject alternative names'),
};

function checkServingNames({ names }: CertificateRequest, { name, address }: PlannedIdentity): Refusal | undefined {
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
