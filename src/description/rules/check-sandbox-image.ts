import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Subject } from './rule.ts';

/** An archive is imported under the names that are written in it, and none of them is a digest. */
export function* checkSandboxImage({ spec }: Subject): Iterable<Diagnostic> {
  const { sandboxImage, sandboxImageArchive } = spec.containerd ?? {};
  if (sandboxImageArchive === undefined || sandboxImage?.includes('@') !== true) return;
  const message =
    'an archive has the image under its tag, and nodes would look for it by this digest; write the tag: the archive is pinned by its own SHA-256';
  yield { code: 'sandbox-image-by-digest', path: ['containerd', 'sandboxImage'], at: 'value', message };
}
