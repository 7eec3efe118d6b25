import { z } from 'zod';

/** `url` without a scheme is a file's path from the folder of the description. */
const lockedArtifactShape = z
  .strictObject({
    /** What the file is called among the others, and in the folder of `bake fetch -o`. */
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/),
    component: z.string().min(1),
    version: z.string().min(1).optional(),
    /** Of the machine that runs Packer; only its plugins have one. */
    os: z.enum(['linux', 'darwin']).optional(),
    architecture: z.enum(['amd64', 'arm64', 'any']),
    url: z.string().min(1),
    /** Bytes. */
    size: z.int().min(1),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    sha512: z
      .string()
      .regex(/^[0-9a-f]{128}$/)
      .optional(),
  })
  .refine(({ sha256, sha512 }) => (sha256 === undefined) !== (sha512 === undefined), 'needs a sha256 or a sha512');

/** The whole of bake.lock. */
export const lockShape = z.strictObject({
  version: z.literal(1),
  artifacts: z.array(lockedArtifactShape),
  /** The pause image, where nodes pull it by a tag. */
  sandboxImage: z.strictObject({ reference: z.string(), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/) }).optional(),
  /** The AMI to start from, where the source is amazon-ebs. */
  ami: z
    .strictObject({
      region: z.string(),
      owner: z.string(),
      namePattern: z.string(),
      id: z.string().regex(/^ami-[0-9a-f]+$/),
      name: z.string(),
    })
    .optional(),
});

/** What bake.lock holds: each download of a description, so that every run on every machine gets the same bytes. */
export type Lock = Omit<z.infer<typeof lockShape>, 'artifacts'> & { readonly artifacts: readonly LockedArtifact[] };
export type LockedArtifact = Readonly<z.infer<typeof lockedArtifactShape>>;

/** As `sha256:HEX` or `sha512:HEX`. */
export type DigestText = `${'sha256' | 'sha512'}:${string}`;

/** The one digest that an entry has. */
export function digestOf({ sha256, sha512 }: Pick<LockedArtifact, 'sha256' | 'sha512'>): DigestText {
  return sha512 === undefined ? `sha256:${sha256 ?? ''}` : `sha512:${sha512}`;
}

/** Whether a URL is a file's path from the folder of the description. */
export function isLocal(url: string): boolean {
  return !/^[a-z][a-z0-9+.-]*:\/\//i.test(url);
}
