import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { lead } from '../../src/approve/lead.ts';
import { KubernetesApi } from '../../src/edges/kubernetes/kubernetes-api.ts';
import { LeaseApi } from '../../src/edges/kubernetes/lease-api.ts';
import { connectionTo } from '../support/connection-to.ts';
import { fakeApiServer, type FakeApiServer, type Fault } from '../support/fake-apiserver.ts';

// Who leads when all goes wrong; two processes and a real apiserver are among the end-to-end tests.
const leaders = suite('leader election');

const timing = { lease: 1500, renew: 1000, retry: 100 };
const name = { namespace: 'kube-system', name: 'bake-approver' };

interface Candidate {
  /** When it began to work, and when it stopped, by turns. */
  readonly turns: number[];
  readonly troubles: string[];
  /** Ends it as a signal does. */
  readonly end: () => Promise<void>;
  /** Its network is gone. */
  readonly cutOff: () => void;
  readonly ended: Promise<unknown>;
}

function candidate(server: FakeApiServer, identity: string, token = identity): Candidate {
  const end = new AbortController();
  const turns: number[] = [];
  const troubles: string[] = [];
  let bearer = token;
  const connection = connectionTo(server, () => bearer);
  const api = new KubernetesApi(connection, { signal: new AbortController().signal, stallMs: 300 });
  const work = async (signal: AbortSignal): Promise<void> => {
    turns.push(performance.now());
    try {
      await setTimeout(60_000, undefined, { signal });
    } finally {
      turns.push(performance.now());
    }
  };
  const ended = lead(
    {
      lease: new LeaseApi(api, name),
      identity,
      onLeader: () => undefined,
      onHealth: () => undefined,
      onTrouble: (message) => void troubles.push(message),
      now: () => new Date(),
      signal: end.signal,
      timing,
    },
    work,
  ).catch((error: unknown) => error);
  return {
    turns,
    troubles,
    ended,
    cutOff: () => (bearer = 'nobody'),
    end: async () => {
      end.abort('SIGTERM');
      await ended;
      await api.close();
    },
  };
}

function withServer(
  work: (server: FakeApiServer, enter: (identity: string) => Candidate) => Promise<void>,
  faults: Readonly<Record<string, readonly (Fault | undefined)[]>> = {},
): () => Promise<void> {
  return async () => {
    const server = await fakeApiServer([], faults);
    server.tokens = ['a', 'b'];
    const entered: Candidate[] = [];
    try {
      await work(server, (identity) => {
        const one = candidate(server, identity);
        entered.push(one);
        return one;
      });
    } finally {
      await Promise.all(entered.map(({ end }) => end()));
      await server.close();
    }
  };
}

async function until(isSo: () => boolean, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, 'it took too long');
    await setTimeout(10);
  }
}

leaders(
  'of two that begin together one works, and when it ends the other does, at once',
  withServer(async (server, enter) => {
    const both = [enter('a'), enter('b')];
    await until(() => server.holder !== undefined);
    await setTimeout(1500);
    const [leader, other] = server.holder === 'a' ? both : both.toReversed();
    assert.deepEqual([leader?.turns.length, other?.turns.length], [1, 0]);
    const before = performance.now();
    await leader?.end();
    await until(() => other?.turns.length === 1);
    // A pause of at most 220 ms, and no lease to wait for.
    assert.ok(performance.now() - before < 700);
    assert.equal(leader?.turns.length, 2);
  }),
);

leaders(
  'a leader that is cut off has stopped before the other begins',
  withServer(async (server, enter) => {
    const first = enter('a');
    await until(() => first.turns.length === 1);
    const second = enter('b');
    await setTimeout(500);
    first.cutOff();
    await until(() => second.turns.length === 1);
    assert.equal(first.turns.length, 2);
    assert.ok((first.turns[1] ?? Infinity) < (second.turns[0] ?? 0));
    assert.match(first.troubles.join(), /HTTP 401/);
    assert.equal(server.holder, 'b');
  }),
);

leaders(
  'who ends frees the Lease',
  withServer(async (server, enter) => {
    const only = enter('a');
    await until(() => server.holder === 'a');
    await only.end();
    assert.equal(server.holder, '');
  }),
);

const fewTroubles = [undefined, undefined, { status: 500 }, 'reset', { status: 429 }] as const;
leaders(
  'trouble that passes in time changes nothing',
  withServer(
    async (server, enter) => {
      const only = enter('a');
      await setTimeout(2000);
      assert.equal(only.turns.length, 1);
      assert.ok(only.troubles.length >= 2, only.troubles.join());
      assert.equal(server.holder, 'a');
    },
    { lease: fewTroubles },
  ),
);

leaders('a term runs from before the Lease was written, and ends also where nothing answers any more', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  let reads = 0;
  const lease = {
    read: () => (reads++ === 0 ? Promise.resolve(undefined) : never()),
    create: () => setTimeout(400, true),
    replace: never,
  } as unknown as LeaseApi;
  const turn: number[] = [];
  const work = async (signal: AbortSignal): Promise<void> => {
    turn.push(performance.now());
    await setTimeout(60_000, undefined, { signal }).catch(() => undefined);
    turn.push(performance.now());
  };
  const signal = new AbortController().signal;
  const nothing = (): void => undefined;
  const told = { onLeader: nothing, onHealth: nothing, onTrouble: nothing };
  // It frees the Lease at last, which nothing answers either.
  void lead({ lease, identity: 'a', ...told, now: () => new Date(), signal, timing }, work);
  await until(() => turn.length === 2);
  const [began = 0, ended = Infinity] = turn;
  // Of the 1000 ms the Lease has taken 400.
  assert.ok(ended - began < 850, `${ended - began} ms`);
});

leaders(
  'refused at once is refused',
  withServer(
    async (_, enter) => {
      const { code } = (await enter('a').ended) as { code?: string };
      assert.equal(code, 'cluster-refuses');
    },
    { lease: [{ status: 403 }] },
  ),
);

leaders.run();
