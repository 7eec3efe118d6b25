import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** What a rehearsal reads of the objects that kubelet posts. */
export interface PostedObject {
  readonly name: string;
  /** Of a certificate signing request, as JSON has it. */
  readonly spec: { readonly request?: string; readonly signerName?: string; readonly usages?: readonly string[] };
}

/** Before the envelope: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding */
const MAGIC = Buffer.from('k8s\0');

/** @param body JSON, or protobuf in Kubernetes' envelope: with its client certificate kubelet speaks that */
export function readObject(body: Buffer): PostedObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) {
    const { metadata, spec } = JSON.parse(body.toString()) as { metadata?: { name?: string }; spec?: object };
    return { name: metadata?.name ?? '', spec: spec ?? {} };
  }
  // The numbers are those of Unknown, ObjectMeta and CertificateSigningRequestSpec:
  // https://github.com/kubernetes/kubernetes/blob/v1.18.6/staging/src/k8s.io/api/certificates/v1beta1/generated.proto
  const object = within(fieldsOf(body.subarray(MAGIC.length)), 2);
  const spec = within(object, 2);
  const texts = (fields: Fields, number: number) => (fields.get(number) ?? []).map((bytes) => Buffer.from(bytes));
  return {
    name: String(texts(within(object, 1), 1)[0] ?? ''),
    spec: {
      request: (texts(spec, 1)[0] ?? Buffer.of()).toString('base64'),
      usages: texts(spec, 5).map(String),
      signerName: String(texts(spec, 7)[0] ?? ''),
    },
  };
}

/** What has a length (texts, bytes, messages), by the number of its field. */
type Fields = ReadonlyMap<number, readonly Uint8Array[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Uint8Array[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
    else reader.skip(type, number);
  }
  return fields;
}

function within(fields: Fields, number: number): Fields {
  return fieldsOf(fields.get(number)?.[0] ?? new Uint8Array());
}
