import { randomBytes } from 'node:crypto';
import { updateTokenStore } from '../../src/edges/token-store.ts';
import { issueTokens } from '../../src/tokens/issue-tokens.ts';

// A process that issues tokens and prints their ids: node keep-tokens.mjs STORE NODES [die], to be killed while it
// holds the lock.
const [path = '', nodes = '', die] = process.argv.slice(2);
const { store } = await updateTokenStore(
  path,
  (before) => {
    if (die !== undefined) {
      process.kill(process.pid, 'SIGKILL');
      // The signal is on its way; nothing more must be done until it is there.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    return issueTokens(before, nodes.split(','), { now: new Date(), ttlSeconds: 86_400, random: randomBytes });
  },
  new AbortController().signal,
);
process.stdout.write([...store.tokens.values()].map(({ id }) => id).join());
