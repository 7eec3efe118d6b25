import * as z from 'zod';

const listShape = z.object({
  apiVersion: z.string(),
  kind: z.enum(['List', 'CertificateSigningRequestList']),
  items: z.array(z.record(z.string(), z.unknown())).nullable(),
});

/**
 * The requests in what `kubectl get csr -o json` prints or an apiserver answers: a list, or one object.
 * @returns undefined where it is neither; what is no request among the items is for the judge to say
 */
export function csrItems(value: unknown): readonly unknown[] | undefined {
  const single = z.object({ kind: z.literal('CertificateSigningRequest') }).safeParse(value);
  if (single.success) return [value];
  const list = listShape.safeParse(value);
  if (!list.success) return undefined;
  const { apiVersion, kind, items } = list.data;
  // The items of an apiserver's own list do not repeat what the list says.
  const shared = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return (items ?? []).map((item) => ({ ...shared, ...item }));
}
