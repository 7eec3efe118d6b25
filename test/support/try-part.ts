import { MissingPart, part, type PartName } from '../parts/parts.ts';

/** A real part, or what this machine lacks to have it; testUnless() takes the latter for a reason. */
export type TriedPart =
  { readonly folder: string; readonly missing: undefined } | { readonly folder: ''; readonly missing: string };

export async function tryPart(name: PartName): Promise<TriedPart> {
  try {
    return { folder: await part(name), missing: undefined };
  } catch (error) {
    if (!(error instanceof MissingPart)) throw error;
    return { folder: '', missing: error.message };
  }
}
