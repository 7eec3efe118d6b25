import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { describeNodes } from '../bench/describe-nodes.ts';
import { fakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { livePeak } from '../support/live-peak.ts';
import { csrOf, servingParts } from '../support/make-csr.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const many = suite('approve-csrs, where many have asked');

const isLong = process.env['BAKE_LONG'] === '1';
/** Nodes that are planned, and ask for what they may. */
const GOOD = 100;
/** That one was refused is remembered, in 300; to hold its object takes 1500 more. */
const BYTES_PER_REQUEST = 1000;

const { yaml, list } = describeNodes(GOOD);
const good = list
  .trimEnd()
  .split('\n')
  .map((line, index) => {
    const [node = '', address = ''] = line.split(' ');
    return csrOf(servingParts(node, address.split('.').map(Number)), {
      metadata: { name: `good-${index}`, uid: `good-${index}`, resourceVersion: '1000000' },
      spec: { username: `system:node:${node}` },
    });
  });

type Json = Record<string, unknown>;
/** Of the node whose good request comes last. */
const model = good.at(-1) ?? {};

/** Whose requests are not to be approved: of nobody that is planned, or of a node that has asked anew since. */
const unwanted = {
  strangers: (index: number) => ({ ...(model['spec'] as Json), username: `system:node:stranger${index}` }),
  'one node, over and over,': () => model['spec'] as Json,
} as const;

/** A good one after so many others. */
function* requests(count: number, specOf: (index: number) => Json): Iterable<Json> {
  for (let index = 0; index < count; index++) {
    const metadata = { ...(model['metadata'] as Json), name: `csr-${index}`, uid: `uid-${index}` };
    const other = { ...model, metadata: { ...metadata, resourceVersion: String(index + 1) }, spec: specOf(index) };
    yield good[(index + 1) / (count / GOOD) - 1] ?? other;
  }
}

/** Approves where so many wait, of which the good ones get their certificates and nobody else. */
async function approve(count: number, specOf: (index: number) => Json): Promise<number> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer([...requests(count, specOf)] as unknown as Stored[]);
    writeFileSync(join(folder, 'cluster.yaml'), yaml);
    writeFileSync(join(folder, 'ca.pem'), server.certificate);
    writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', { token: 'a-secret' }));
    try {
      const bake = join(import.meta.dirname, '../../dist/main.js');
      const options = { cwd: folder, env: { KUBECONFIG: 'config' } };
      const { exitCode, stdout, peakBytes } = await livePeak([bake, 'approve-csrs', '--timeout', '5m'], options);
      assert.equal(stdout.match(/^node\d+ +issued +good-\d+$/gm)?.length, GOOD, stdout);
      assert.equal(exitCode, 0);
      const approved = [...server.objects].filter(([, { status }]) => status.conditions !== undefined);
      assert.ok(approved.length === GOOD && approved.every(([name]) => name.startsWith('good-')));
      return peakBytes;
    } finally {
      await server.close();
    }
  });
}

for (const [who, count] of [
  ['strangers', isLong ? 100_000 : 10_000],
  ['one node, over and over,', isLong ? 20_000 : 2_000],
] as const) {
  many(
    `${who} asked ${count} times: that takes hardly more memory than a tenth of them, and the good ones go through`,
    async () => {
      const specOf = unwanted[who];
      const few = count / 10;
      const bytes = ((await approve(count, specOf)) - (await approve(few, specOf))) / (count - few);
      console.log(`  ${bytes.toFixed(0)} bytes a request`);
      assert.ok(bytes < BYTES_PER_REQUEST);
    },
  );
}

many.run();
