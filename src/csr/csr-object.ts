import * as z from 'zod';

/**
 * What bake reads of a CertificateSigningRequest, of v1 or of v1beta1. Fields that it has besides are none of its business,
 * and what a field may hold is for the judge to say.
 * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/certificate-signing-request-v1/
 */
const objectShape = z.object({
  apiVersion: z.enum(['certificates.k8s.io/v1', 'certificates.k8s.io/v1beta1']),
  kind: z.literal('CertificateSigningRequest'),
  metadata: z.object({
    name: z.string().min(1),
    uid: z.string(),
    // Opaque by the letter, and a number in every apiserver.
    resourceVersion: z.string().regex(/^\d+$/),
    creationTimestamp: z.iso.datetime(),
  }),
  spec: z.object({
    request: z.string(),
    signerName: z.string().optional(),
    username: z.string().default(''),
    groups: z.array(z.string()).nullish(),
    usages: z.array(z.string()).nullish(),
    expirationSeconds: z.int().nullish(),
  }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string() })).nullish(),
      certificate: z.string().nullish(),
    })
    .nullish(),
});

export type CsrObject = z.infer<typeof objectShape>;

/** An object as it is, or why it is none. */
export type ReadCsrObject =
  | { readonly kind: 'object'; readonly object: CsrObject }
  | { readonly kind: 'malformed'; readonly name: string; readonly problem: string };

/** @param value of JSON: an item of a list, or an event's object */
export function readCsrObject(value: unknown): ReadCsrObject {
  const parsed = objectShape.safeParse(value);
  if (parsed.success) return { kind: 'object', object: parsed.data };
  const [issue] = parsed.error.issues;
  const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
  return { kind: 'malformed', name: nameOf(value), problem };
}

function nameOf(value: unknown): string {
  const parsed = z.object({ metadata: z.object({ name: z.string() }) }).safeParse(value);
  return parsed.success ? parsed.data.metadata.name : '';
}

/** How far a request is. An approved one becomes issued once the signer has come by. */
export type CsrState = 'pending' | 'approved' | 'issued' | 'denied' | 'failed';

export function stateOf({ status }: CsrObject): CsrState {
  const has = (type: string): boolean => status?.conditions?.some((condition) => condition.type === type) ?? false;
  if (has('Denied')) return 'denied';
  if (has('Failed')) return 'failed';
  if ((status?.certificate ?? '') !== '') return 'issued';
  return has('Approved') ? 'approved' : 'pending';
}
