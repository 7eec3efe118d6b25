/**
 * Why a request is not approved, by a code that stays: scripts, audit logs and metrics go by it. `summary` is a line, and
 * `remedy` says what it may mean and what to do.
 */
export const refusalReasons = {
  'object-malformed': {
    summary: 'the object is no CertificateSigningRequest that bake knows',
    remedy: 'bake reads certificates.k8s.io/v1 and v1beta1, as an apiserver gives them.',
  },
  'signer-missing': {
    summary: 'the object names no signer',
    remedy:
      'An apiserver before 1.18 makes such objects, and on them an approval is for any use at all. kubelet asks again by itself.',
  },
  'signer-other': {
    summary: 'the certificate is to come from another signer than those that bake approves for',
    remedy:
      'bake approves the serving certificates of kubelets. Their client certificates it approves with `approval: plan`; else the cluster does.',
  },
  'requester-not-a-node': {
    summary: 'who asks is not a node',
    remedy:
      'Only system:node:NAME asks for a serving certificate, and only a bootstrap token for the client certificate of a node. Find out who posts this, and why they may.',
  },
  'groups-other': {
    summary: 'who asks has other groups than a node has',
    remedy:
      "A kubelet's client certificate makes it a member of system:nodes and system:authenticated, and its bootstrap token one of system:bootstrappers, of the node's own group of them and of system:authenticated. This credential is another one.",
  },
  'node-not-planned': {
    summary: 'the description has no such node',
    remedy:
      'Where the node is meant to be, add it to the description; else find out how it got its client certificate.',
  },
  'token-unknown': {
    summary: 'no planned node has the bootstrap token of who asks',
    remedy:
      'It is of an earlier compile, or none of bake. A node that came up with it is to have the user-data of the last compile; delete the Secret of a token that is not to be used any more.',
  },
  'usages-other': {
    summary: 'the certificate is to be for other uses than those of a kubelet',
    remedy:
      'A kubelet asks for digital signature and server auth (client auth for its client certificate), and with an RSA key for key encipherment.',
  },
  'lifetime-out-of-bounds': {
    summary: 'the certificate is to live shorter than ten minutes, or longer than a year',
    remedy: 'kubelet asks for no lifetime of its own; the signer decides.',
  },
  'pem-not-canonical': {
    summary: 'the request is not one PEM block of the usual form',
    remedy: 'Readers of PEM differ in what they skip, so that bake takes only what all of them read alike.',
  },
  'der-malformed': {
    summary: 'what the PEM block holds is no PKCS #10 request',
    remedy: 'kubelet makes none like it; look at it with `openssl req -text`.',
  },
  'der-not-strict': {
    summary: 'the request is not written in strict DER',
    remedy: 'Its bytes can be read in more than one way, and Kubernetes might read another than bake.',
  },
  'key-unsuitable': {
    summary: 'the key is weak, or of a kind that is not for certificates of kubelets',
    remedy:
      'Good are RSA of 2048 to 8192 bits with an odd exponent from 65537, ECDSA on P-256, P-384 or P-521, and Ed25519.',
  },
  'signature-algorithm': {
    summary: 'the request is signed by an algorithm that is weak or not usual',
    remedy: 'Good are SHA-256, SHA-384 and SHA-512 with RSA (PKCS #1) or ECDSA, and Ed25519; SHA-1 and MD5 are broken.',
  },
  'signature-invalid': {
    summary: 'the request is not signed with its own key',
    remedy: 'Whoever asks has not shown to hold the key; the request was changed or made up.',
  },
  'content-unexpected': {
    summary: 'the request asks for more than a name',
    remedy:
      'A kubelet asks for subject alternative names, for its client certificate not even for those, and for no other extension or attribute.',
  },
  'token-of-other-node': {
    summary: "who asks has another node's bootstrap token than that of the node that the certificate is to be for",
    remedy:
      'Where a machine came up with the user-data of another, give it its own; else the token was stolen: replace it by `bake token rotate NODE`, and delete its Secret.',
  },
  'subject-other': {
    summary: 'the subject is not that of the node',
    remedy: 'It must be O=system:nodes, CN=system:node:NAME of the node that asks, and nothing else.',
  },
  'names-missing': {
    summary: 'the request names neither a host nor an address',
    remedy: 'kubelet asks once it knows its address; without a default route it needs --node-ip, which bake sets.',
  },
  'names-of-other-kind': {
    summary: 'the request has names that are neither DNS names nor IP addresses',
    remedy: 'A serving certificate with mail addresses, URIs and the like is for something else.',
  },
  'names-repeated': {
    summary: 'the request names something twice',
    remedy: 'kubelet does not.',
  },
  'name-not-planned': {
    summary: 'the request names a host or an address that the plan does not give this node',
    remedy:
      'Where the node is right, correct its name or address in the description; else somebody on this node asks for the identity of another machine.',
  },
  superseded: {
    summary: 'the node, or who has its token, has asked again since',
    remedy: 'kubelet waits for its newest request only. The apiserver removes old ones after a day.',
  },
} as const satisfies Readonly<Record<string, { readonly summary: string; readonly remedy: string }>>;

export type RefusalReason = keyof typeof refusalReasons;

/** `message` is the fact, about this one request. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly message: string;
}

export function refusal(reason: RefusalReason, message: string): Refusal {
  return { reason, message };
}
