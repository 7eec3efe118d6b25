import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import type { Issuing } from '../../src/tokens/create-token.ts';
import { dropSpent, earliestExpiry, issueTokens, rotateTokens } from '../../src/tokens/issue-tokens.ts';
import { ofCluster } from '../../src/tokens/of-cluster.ts';
import type { TokenStore } from '../../src/tokens/token.ts';

const tokens = suite('issue-tokens');
const hour = 3_600_000;

function issuing(now: string | number, random: Issuing['random'] = randomBytes): Issuing {
  return { now: new Date(now), ttlSeconds: 86_400, random };
}

const none: TokenStore = { tokens: new Map(), joined: new Set(), authority: '' };
const start = '2020-08-02T14:12:04.700Z';

tokens('gives each node a token that Kubernetes takes', () => {
  const { store, changed } = issueTokens(none, ['master', 'node1'], issuing(start));
  assert.equal(changed, true);
  assert.deepEqual([...store.tokens.keys()], ['master', 'node1']);
  for (const [node, token] of store.tokens) {
    assert.equal(token.node, node);
    // https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-format
    assert.match(`${token.id}.${token.secret}`, /^[a-z0-9]{6}\.[a-z0-9]{16}$/);
    assert.equal(token.expires, '2020-08-03T14:12:04Z');
  }
});

tokens('keeps a token while it lives for another hour, and replaces it after that', () => {
  const first = issueTokens(none, ['a', 'b'], issuing(start)).store;
  const expiry = Date.parse('2020-08-03T14:12:04Z');

  const kept = issueTokens(first, ['a', 'b'], issuing(expiry - hour));
  assert.equal(kept.changed, false);
  assert.deepEqual(kept.store, first);

  const replaced = issueTokens(first, ['a', 'b'], issuing(expiry - hour + 1));
  assert.equal(replaced.changed, true);
  for (const node of ['a', 'b']) {
    assert.notEqual(replaced.store.tokens.get(node)?.id, first.tokens.get(node)?.id);
    assert.notEqual(replaced.store.tokens.get(node)?.secret, first.tokens.get(node)?.secret);
    assert.equal(replaced.store.tokens.get(node)?.expires, '2020-08-04T13:12:04Z');
  }
});

tokens('issues for nodes that are new, and drops those that are gone', () => {
  const first = issueTokens(none, ['a', 'b'], issuing(start)).store;
  const { store, changed } = issueTokens(first, ['c', 'b'], issuing(start));
  assert.equal(changed, true);
  assert.deepEqual([...store.tokens.keys()], ['c', 'b']);
  assert.equal(store.tokens.get('b'), first.tokens.get('b'));
  assert.equal(issueTokens(first, ['a'], issuing(start)).changed, true);
  assert.equal(issueTokens(first, ['b', 'a'], issuing(start)).changed, false, 'another order is no change');
});

tokens('rotates the nodes named, living tokens too, and no other', () => {
  const first = issueTokens(none, ['a', 'b', 'c'], issuing(start)).store;
  const { store, changed } = rotateTokens(first, ['b', 'new'], issuing('2020-08-02T20:00:00Z'));
  assert.equal(changed, true);
  assert.deepEqual([...store.tokens.keys()], ['a', 'b', 'c', 'new']);
  assert.equal(store.tokens.get('a'), first.tokens.get('a'));
  assert.equal(store.tokens.get('c'), first.tokens.get('c'));
  assert.notEqual(store.tokens.get('b')?.id, first.tokens.get('b')?.id);
  assert.equal(earliestExpiry(store), '2020-08-03T14:12:04Z');
  assert.equal(earliestExpiry(none), undefined);
});

/** As issueTokens() has it, and then the nodes named join. */
function joinedOf(nodes: readonly string[], joined: readonly string[]): TokenStore {
  const { store } = issueTokens(none, nodes, issuing(start));
  return dropSpent(
    store,
    joined.flatMap((node) => store.tokens.get(node) ?? []),
  ).store;
}

tokens('a node that has joined gets no token until it is rotated, or planned anew', () => {
  const joined = joinedOf(['a', 'b', 'c'], ['b', 'c']);
  assert.deepEqual([[...joined.tokens.keys()], [...joined.joined]], [['a'], ['b', 'c']]);
  assert.deepEqual(issueTokens(joined, ['a', 'b', 'c'], issuing(start)), { store: joined, changed: false });

  const { store } = rotateTokens(joined, ['b'], issuing(start));
  assert.deepEqual([[...store.tokens.keys()], [...store.joined]], [['a', 'b'], ['c']]);

  const without = issueTokens(joined, ['a', 'b'], issuing(start));
  assert.deepEqual([without.changed, [...without.store.joined]], [true, ['b']]);
  const again = issueTokens(without.store, ['a', 'b', 'c'], issuing(start)).store;
  assert.ok(again.tokens.has('c') && !again.joined.has('c'));
});

tokens('who has joined one cluster has not joined that of another CA', () => {
  const store = ofCluster(joinedOf(['a', 'b', 'c'], ['b']), 'one CA');
  assert.deepEqual([...store.joined], [], 'a file that says no cluster');
  const joined = dropSpent(store, [...store.tokens.values()]).store;
  assert.equal(ofCluster(joined, 'one CA'), joined);
  const anew = issueTokens(ofCluster(joined, 'another CA'), ['a', 'b', 'c'], issuing(start));
  assert.deepEqual([anew.changed, [...anew.store.tokens.keys()], anew.store.joined.size], [true, ['a', 'b', 'c'], 0]);
  assert.equal(ofCluster(anew.store, 'another CA'), anew.store);
});

tokens('a token that was rotated since is not dropped', () => {
  const { store } = issueTokens(none, ['a', 'b'], issuing(start));
  const spent = [...store.tokens.values()];
  const rotated = rotateTokens(store, ['a'], issuing(start)).store;
  const left = dropSpent(rotated, spent);
  assert.deepEqual([[...left.store.tokens.keys()], [...left.store.joined]], [['a'], ['b']]);
  assert.equal(left.store.tokens.get('a'), rotated.tokens.get('a'));
  assert.deepEqual(dropSpent(left.store, spent), { store: left.store, changed: false });
});

tokens('never gives an id twice, not even one that is replaced or dropped', () => {
  const ids = [[0], [0], [0], [1], [0], [2]].map(([letter = 0]) => new Uint8Array(6).fill(letter));
  const random = (bytes: number): Uint8Array => (bytes === 6 ? (ids.shift() ?? randomBytes(6)) : new Uint8Array(bytes));
  const { store } = issueTokens(none, ['a', 'b'], issuing(start, random));
  assert.deepEqual(
    [...store.tokens.values()].map(({ id }) => id),
    ['aaaaaa', 'bbbbbb'],
  );
  assert.equal(issueTokens(store, ['c'], issuing(start, random)).store.tokens.get('c')?.id, 'cccccc');
});

tokens('whatever the bytes, the letters come from those below 252 only, each as often as the others', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1 }), (chunks) => {
      const stream = [...chunks.flatMap((chunk) => [...chunk]), ...Array.from({ length: 22 }, (_, index) => index)];
      const expected = stream.filter((byte) => byte < 252).slice(0, 22);
      const random = (bytes: number): Uint8Array => Uint8Array.from(stream.splice(0, bytes));
      const token = issueTokens(none, ['a'], issuing(start, random)).store.tokens.get('a');
      const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
      assert.equal(
        `${token?.id ?? ''}${token?.secret ?? ''}`,
        expected.map((byte) => letters.charAt(byte % 36)).join(''),
      );
    }),
  );
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte < 252);
  const counts = new Map<number, number>();
  for (const byte of all) counts.set(byte % 36, (counts.get(byte % 36) ?? 0) + 1);
  assert.deepEqual(new Set(counts.values()), new Set([7]));
});

tokens.run();
