import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { suite } from 'uvu';
import { Failure } from '../../src/diagnostics/failure.ts';
import { listenIn } from '../../src/rehearse/listen-in.ts';
import { testUnless } from '../support/skip.ts';

// What goes wrong, in the network namespace of this process. That it listens in another one is in
// test/e2e/rehearse.test.ts.
const listening = suite('listenIn');
const missing = process.getuid?.() === 0 ? undefined : 'only root enters a network namespace';

async function refuses(port: number, env: NodeJS.ProcessEnv, says: RegExp): Promise<void> {
  await assert.rejects(listenIn(process.pid, [{ host: '127.0.0.1', port }], env), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'rehearsal-unusable');
    assert.match(error.message, says);
    return true;
  });
}

listening('nsenter is looked for where the environment says', () => refuses(6443, { PATH: '/none' }, /ENOENT$/));

testUnless(listening, missing, 'an address that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    await refuses(port, process.env, /apiservers: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+$/);
  } finally {
    server.close();
  }
});

listening.run();
