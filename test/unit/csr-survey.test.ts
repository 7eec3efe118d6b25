import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { csrItems } from '../../src/csr/csr-items.ts';
import { planOf, signers, type Plan } from '../../src/csr/plan.ts';
import { Survey } from '../../src/csr/survey.ts';
import { clientCsrOf, commonName, csrOf, organization } from '../support/make-csr.ts';
import { sequence } from '../support/der.ts';

// What is known of all requests together: which of a node's is the newest, and which are decided already.
const surveys = suite('survey');

const node = { name: 'node1', address: '192.168.31.136' };
const plan = planOf({ nodes: [node] });

interface Made {
  readonly at?: string;
  readonly version?: number;
  readonly condition?: string;
  readonly certificate?: string;
  readonly bad?: boolean;
  readonly spec?: Record<string, unknown>;
}

function request(name: string, { at = '14:50:00', version = 1, condition, certificate, bad, spec = {} }: Made = {}) {
  const subject = sequence(organization, commonName(bad === true ? 'system:node:node2' : 'system:node:node1'));
  return csrOf(
    { subject },
    {
      metadata: { name, uid: name, resourceVersion: String(version), creationTimestamp: `2020-08-02T${at}Z` },
      spec,
      status: { conditions: condition === undefined ? null : [{ type: condition }], certificate },
    },
  );
}

function decide(...values: unknown[]): string[] {
  return decideBy(plan, ...values);
}

function decideBy(planned: Plan, ...values: unknown[]): string[] {
  const survey = new Survey(planned);
  const first = values.map((value) => survey.add(value).decision);
  return first.map((decision) => {
    const { name, state, verdict } = survey.settle(decision);
    const what = verdict.kind === 'refuse' ? verdict.reason : verdict.kind;
    return [name, state, what].join(' ');
  });
}

surveys('of two requests of a node the newer is approved, in whatever order they come', () => {
  const [older, newer] = [request('a', { at: '14:50:00' }), request('b', { at: '14:50:01' })];
  assert.deepEqual(decide(older, newer), ['a pending superseded', 'b pending approve']);
  assert.deepEqual(decide(newer, older), ['b pending approve', 'a pending superseded']);
});

surveys('within a second the count of the apiserver decides', () => {
  const [older, newer] = [request('a', { version: 9 }), request('b', { version: 10 })];
  assert.deepEqual(decide(newer, older), ['b pending approve', 'a pending superseded']);
});

surveys('a newer one counts whatever became of it', () => {
  const older = request('a');
  for (const [condition, state] of [
    ['Approved', 'approved'],
    ['Denied', 'denied'],
    ['Failed', 'failed'],
  ] as const) {
    const newer = request('b', { at: '14:51:00', condition });
    assert.deepEqual(decide(older, newer), ['a pending superseded', `b ${state} none`]);
  }
  const bad = request('b', { at: '14:51:00', bad: true });
  assert.deepEqual(decide(older, bad), ['a pending superseded', 'b pending subject-other']);
});

surveys('one for another signer does not count', () => {
  const client = request('b', { at: '14:51:00', spec: { signerName: signers.client } });
  assert.deepEqual(decide(request('a'), client), ['a pending approve', 'b pending signer-other']);
});

function clientRequest(name: string, { at = '14:50:00' } = {}) {
  return clientCsrOf({}, { metadata: { name, uid: name, creationTimestamp: `2020-08-02T${at}Z` } });
}

const byTokens = planOf({ nodes: [node] }, () => 'abcdef');

surveys('of two requests by a token the newer is approved, and a request of the node itself is none of them', () => {
  const [older, newer] = [clientRequest('a'), clientRequest('b', { at: '14:50:01' })];
  const serving = request('c', { at: '14:49:00' });
  assert.deepEqual(decideBy(byTokens, older, newer, serving), [
    'a pending superseded',
    'b pending approve',
    'c pending approve',
  ]);
});

surveys('the renewal of a client certificate is left to the cluster, whoever the node is', () => {
  const renewals = ['node1', 'node2'].map((name) =>
    request(name, { spec: { signerName: signers.client, username: `system:node:${name}` } }),
  );
  assert.deepEqual(decideBy(byTokens, ...renewals), ['node1 pending none', 'node2 pending none']);
});

surveys('what was decided is not judged, and a request after it is', () => {
  const issued = request('a', { condition: 'Approved', certificate: 'LS0t' });
  assert.deepEqual(decide(issued, request('b', { at: '15:50:00' })), ['a issued none', 'b pending approve']);
});

surveys('what is no request hides none', () => {
  const broken = { metadata: { name: 'broken' } };
  assert.deepEqual(decide(broken, request('a'), 7), [
    'broken unknown object-malformed',
    'a pending approve',
    ' unknown object-malformed',
  ]);
});

surveys('one that has changed is still the newest', () => {
  const survey = new Survey(plan);
  const { decision: older } = survey.add(request('a'));
  const { decision: newer } = survey.add(request('b', { at: '14:51:00' }));
  survey.add(request('b', { at: '14:51:00', version: 2, condition: 'Denied' }));
  survey.add(request('a', { version: 3 }));
  assert.deepEqual(
    [older, newer].map((decision) => survey.isNewest(decision)),
    [false, true],
  );
});

surveys('of nodes that are not planned nothing is kept', () => {
  const survey = new Survey(plan);
  const { decision } = survey.add(csrOf({}, { spec: { username: 'system:node:node2' } }));
  assert.equal(survey.isNewest(decision), false);
});

surveys('lists of kubectl and of an apiserver are read, and single requests', () => {
  const full = request('a');
  const { apiVersion, kind, ...bare } = full;
  assert.deepEqual(csrItems({ apiVersion: 'v1', kind: 'List', items: [full] }), [full]);
  assert.deepEqual(csrItems({ apiVersion, kind: `${String(kind)}List`, items: [bare] }), [full]);
  assert.deepEqual(csrItems({ apiVersion, kind: `${String(kind)}List`, items: null }), []);
  assert.deepEqual(csrItems(full), [full]);
  for (const other of [undefined, 7, [], {}, { apiVersion: 'v1', kind: 'PodList', items: [] }, { kind: 'List' }]) {
    assert.equal(csrItems(other), undefined);
  }
});

surveys('the plan has each node by its user', () => {
  const identity = { name: 'node1', address: '192.168.31.136', user: 'system:node:node1' };
  const serving = new Map([[identity.user, identity]]);
  assert.deepEqual(planOf({ nodes: [node] }), { serving });
  // Where bake approves client certificates, also by the user that its bootstrap token makes of it, if it has one.
  const client = new Map([['system:bootstrap:abcdef', identity]]);
  assert.deepEqual(
    planOf({ nodes: [node] }, () => 'abcdef'),
    { serving, client },
  );
  assert.deepEqual(
    planOf({ nodes: [node] }, () => undefined),
    { serving, client: new Map() },
  );
});

surveys.run();
