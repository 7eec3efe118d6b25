import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { makeContainer } from '../../src/rehearse/container.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// An image that cannot be mounted, and is not refused either; containers that boot are in test/e2e/rehearse.test.ts.
const container = suite('a container whose image is not mounted');

/** What hangs in the kernel outlives its parent, and holds its pipes. */
const make = (signal: AbortSignal, mountMs?: number) =>
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, 'setpriv'), '#!/bin/sh\n/bin/sleep 15 &\nexec /bin/sleep 60\n', { mode: 0o755 });
    return makeContainer(folder, folder, '/image', '/var/lib/containerd', { env: { PATH: folder }, signal }, mountMs);
  });

container('is given up when the time is up', () =>
  assert.rejects(make(new AbortController().signal, 200), {
    code: 'image-unreadable',
    message: '/image is not mounted after 0.2 s; is its disk, or its server, there?',
  }),
);

container('is given up on Ctrl-C', async () => {
  const ctrlC = new AbortController();
  const made = make(ctrlC.signal);
  ctrlC.abort();
  await assert.rejects(made, ctrlC.signal.reason as Error);
});

container.run();
