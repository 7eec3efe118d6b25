import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import type { Context } from '../../src/cli/context.ts';
import { fixedInventory } from '../../src/cli/inventory-source.ts';
import { SpentTokens } from '../../src/cli/spent-tokens.ts';
import { watchLive } from '../../src/cli/watch-live.ts';
import { planOf } from '../../src/csr/plan.ts';
import { Failure } from '../../src/diagnostics/failure.ts';
import { connectionTo } from '../support/connection-to.ts';
import { fakeApiServer, type FakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { csrOf } from '../support/make-csr.ts';

// What cannot be brought about from outside at the right moment.
const test = suite('watchLive');

function until(signal: AbortSignal): Context {
  const stream = { write: () => undefined };
  return {
    env: {},
    cwd: '/',
    stdin: Readable.from([]),
    stdout: stream,
    stderr: stream,
    now: () => new Date(),
    random: (bytes: number) => new Uint8Array(bytes),
    signal,
    packageRoot: '/',
  };
}

const inventoryOf = (server: FakeApiServer) =>
  fixedInventory({
    plan: planOf({ nodes: [{ name: 'node1', address: '192.168.31.136' }] }),
    authority: server.certificate,
  });

/** @param deletes whether tokens are looked after at the same time */
async function failWhileItEnds(deletes: boolean): Promise<void> {
  const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
  const end = new AbortController();
  const context = until(end.signal);
  const audit = (): never => {
    end.abort('SIGTERM');
    throw new Failure('disk-full', 'on purpose');
  };
  const inventory = inventoryOf(server);
  try {
    const spent = deletes ? new SpentTokens('cluster.yaml', 'a CA', () => undefined, context) : undefined;
    const watching = watchLive(
      inventory,
      connectionTo(server),
      audit,
      { output: 'table', timeout: 60 },
      context,
      spent,
    );
    await assert.rejects(watching, { code: 'disk-full' });
  } finally {
    await server.close();
  }
}

test('what fails while a signal ends it is told all the same', async () => {
  for (const deletes of [false, true]) await failWhileItEnds(deletes);
});

test('where the tokens can be looked after no longer, the watch ends too, and says why', async () => {
  const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
  const end = new AbortController();
  const context = until(end.signal);
  const options = { output: 'table', timeout: 60 } as const;
  const failed = new Failure('disk-full', 'on purpose');
  const spent = Object.assign(new SpentTokens('cluster.yaml', server.certificate, () => undefined, context), {
    removeAsNoted: () => setTimeout(200).then(() => Promise.reject(failed)),
  });
  try {
    const audit = (): undefined => undefined;
    const watching = watchLive(inventoryOf(server), connectionTo(server), audit, options, context, spent);
    const late = setTimeout(5000).then(() => assert.fail('it goes on'));
    await assert.rejects(Promise.race([watching, late]), failed);
  } finally {
    end.abort('SIGTERM');
    await server.close();
  }
});

test('what is approved while a signal ends it has its line in the audit log', async () => {
  const server = await fakeApiServer([csrOf({}, {}) as unknown as Stored]);
  const end = new AbortController();
  server.onRequest = () => {
    if (server.requests.at(-1)?.method === 'PUT') end.abort('SIGTERM');
  };
  const lines: string[] = [];
  const options = { output: 'table', timeout: 60 } as const;
  try {
    const audit = (line: string): void => void lines.push(line);
    const exitCode = await watchLive(inventoryOf(server), connectionTo(server), audit, options, until(end.signal));
    assert.equal(exitCode, 0);
    assert.equal(server.objects.get('csr-prd8t')?.status.conditions?.length, 1);
    assert.match(lines.join(''), /^\{.*"csr":"csr-prd8t",.*"verdict":"approve".*\}\n$/);
  } finally {
    await server.close();
  }
});

test.run();
