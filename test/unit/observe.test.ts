import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { askedUntil } from '../../src/rehearse/asked-until.ts';
import type { Machine } from '../../src/rehearse/machine.ts';
import { observe, type Check } from '../../src/rehearse/observe.ts';
import { rowsOf } from '../../src/rehearse/rows.ts';

// Machines that do not answer. What one that does is told of is in test/e2e/rehearse.test.ts.
const observing = suite('observe');

const identity = { name: 'node1', address: '192.168.31.136', user: 'system:node:node1' };

/** @param answers what it says to systemctl is-system-running, and to how many more questions it answers */
function machine(answers: { readonly state?: string; readonly more: number }): Machine {
  let { more } = answers;
  return {
    connect: () => Promise.resolve(() => undefined),
    boot: () => undefined,
    run: (command) => {
      const said = (stdout: string) => Promise.resolve({ exitCode: 0, stdout, stderr: '' });
      if (command === 'systemctl is-system-running' && answers.state !== undefined) return said(answers.state);
      return more-- > 0 ? said('') : Promise.resolve(undefined);
    },
    ended: () => undefined,
    end: () => Promise.resolve(),
  };
}

const silent: readonly (readonly [string, Machine])[] = [
  ['does not run yet', machine({ more: 0 })],
  ['has no systemd that answers yet', machine({ state: 'offline', more: Infinity })],
  ['ends while it is asked', machine({ state: 'running', more: 3 })],
];

for (const [what, asked] of silent) {
  observing(`a machine that ${what} is neither good nor bad`, async () => {
    const observed = await observe(asked, [], undefined);
    const rows = rowsOf({ observed, asked: [], placed: [], identity, approval: 'guide', hasCgroups: true });
    assert.deepEqual(
      rows.map(({ stage, result }) => [stage, result]),
      [['joined', 'not reached']],
    );
  });
}

observing('a machine that answers to the end is told of', async () => {
  const observed = await observe(machine({ state: 'starting', more: Infinity }), [], undefined);
  assert.ok(observed);
  const request = { use: 'client', verdict: { kind: 'approve', key: '' } } as const;
  const asked = [{ at: 0, user: 'system:bootstrap:abcdef', method: 'POST', path: '', status: 201, request }];
  for (const [approval, says] of [
    ['guide', /as system:bootstrap:abcdef: the cluster approves it$/],
    ['plan', /as system:bootstrap:abcdef: bake approve-csrs approves it$/],
  ] as const) {
    const rows = rowsOf({ observed, asked, placed: [], identity, approval, hasCgroups: true });
    assert.match(rows.find(({ stage }) => stage === 'requests')?.what ?? '', says);
  }
});

/** It answers nothing, and does not end. */
const hung: Machine = { ...machine({ more: 0 }), run: () => new Promise(() => undefined) };

observing('a machine that hangs is asked until the time is up', async () => {
  const asked = askedUntil(hung, performance.now() + 50, new AbortController().signal);
  assert.equal(await observe(asked, [], undefined), undefined);
  assert.equal(await observe(asked, [], down), undefined);
});

observing('a machine that hangs is asked until Ctrl-C', async () => {
  const signal = AbortSignal.timeout(50);
  await assert.rejects(observe(askedUntil(hung, Infinity, signal), [], undefined), { name: 'AbortError' });
});

const missing = { path: '/etc/kubernetes/kubelet.env', mode: '644', owner: 'root:root', sha256: '' };
const down = { passed: [], reason: { code: 'containerd-down', text: 'it is down' } };

/** The results of what a machine without anything on it is told of. */
async function resultsOf(check: Check | undefined): Promise<string[]> {
  const observed = await observe(machine({ state: 'starting', more: Infinity }), [missing], check);
  const rows = rowsOf({ observed, asked: [], placed: [missing], identity, approval: 'guide', hasCgroups: true });
  return rows.map(({ stage, result }) => `${stage} ${result}`);
}

observing('what is missing after the boot has failed, and in the middle of it may come yet', async () => {
  const others = ['units', 'requests', 'requests', 'requests'].map((stage) => `${stage} not reached`);
  const told = (result: string) => [
    'image ok',
    `cloud-init ${result}`,
    `files ${result}`,
    ...others,
    `joined ${result}`,
  ];
  assert.deepEqual(await resultsOf(down), told('failed'));
  assert.deepEqual(await resultsOf(undefined), told('not reached'));
});

observing.run();
