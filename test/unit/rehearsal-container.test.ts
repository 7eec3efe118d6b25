import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { makeContainer } from '../../src/rehearse/container.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// Images that cannot be mounted; containers that boot are in test/e2e/rehearse.test.ts.
const container = suite('a container whose image is not mounted');

/** @param script what is done in place of rehearsal/boot */
const make = (script: string, signal: AbortSignal, mountMs?: number) =>
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, 'setpriv'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return makeContainer(folder, folder, '/image', '/var/lib/containerd', { env: { PATH: folder }, signal }, mountMs);
  });

/** What hangs in the kernel outlives its parent, and holds its pipes. */
const hangs = '/bin/sleep 20 & exec /bin/sleep 60';
const never = new AbortController().signal;

async function givenUp(made: Promise<unknown>, expected: object): Promise<void> {
  const from = performance.now();
  await assert.rejects(made, expected);
  assert.ok(performance.now() - from < 10_000, 'it was waited for');
}

container('is given up when the time is up', () =>
  givenUp(make(hangs, never, 200), {
    code: 'image-unreadable',
    message: '/image is not mounted after 0.2 s; is its disk, or its server, there?',
  }),
);

container('is given up on Ctrl-C', async () => {
  const ctrlC = new AbortController();
  const made = make(hangs, ctrlC.signal);
  ctrlC.abort();
  await givenUp(made, ctrlC.signal.reason as Error);
});

container('is refused with what was said of it, whichever comes first', async () => {
  for (let times = 0; times < 30; times++) {
    await assert.rejects(make('echo unreadable; echo no such disk >&2', never), { message: /mounted: no such disk$/ });
  }
});

container.run();
