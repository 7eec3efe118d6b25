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

/** Who makes requests that are not to be approved. */
interface Crowd {
  readonly count: number;
  readonly specOf: (index: number) => Json;
  /** What each of them holds besides, in bytes. */
  readonly padding?: number;
  readonly deny?: boolean;
  /** That one was refused is remembered, in 300; to hold its object takes 1500 more, and its padding. */
  readonly bytesPerRequest: number;
}

const ofStranger = (index: number): Json => ({
  ...(model['spec'] as Json),
  username: `system:node:stranger${index}`,
});

const crowds: Readonly<Record<string, Crowd>> = {
  strangers: { count: isLong ? 100_000 : 10_000, specOf: ofStranger, bytesPerRequest: 1000 },
  // That has asked anew since.
  'one node, over and over,': {
    count: isLong ? 20_000 : 2_000,
    specOf: () => model['spec'] as Json,
    bytesPerRequest: 1000,
  },
  // A tenth of them is more than is held at once.
  'strangers who are denied': isLong
    ? { count: 100_000, specOf: ofStranger, deny: true, bytesPerRequest: 1000 }
    : { count: 2_000, specOf: ofStranger, padding: 90_000, deny: true, bytesPerRequest: 20_000 },
};

/** A good one after so many others, each of which somebody has padded. */
function* requests({ count, specOf, padding = 0 }: Crowd): Iterable<Json> {
  const labels = { padding: 'x'.repeat(padding) };
  for (let index = 0; index < count; index++) {
    const metadata = { ...(model['metadata'] as Json), name: `csr-${index}`, uid: `uid-${index}`, labels };
    const other = { ...model, metadata: { ...metadata, resourceVersion: String(index + 1) }, spec: specOf(index) };
    yield good[(index + 1) / (count / GOOD) - 1] ?? other;
  }
}

/** Approves where so many wait, of which the good ones get their certificates and nobody else. */
async function approve(crowd: Crowd): Promise<number> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer([...requests(crowd)] as unknown as Stored[]);
    writeFileSync(join(folder, 'cluster.yaml'), yaml);
    writeFileSync(join(folder, 'ca.pem'), server.certificate);
    writeFileSync(join(folder, 'config'), kubeconfigOf(server.url, 'ca.pem', { token: 'a-secret' }));
    try {
      const bake = join(import.meta.dirname, '../../dist/main.js');
      const options = { cwd: folder, env: { KUBECONFIG: 'config' } };
      const argv = [bake, 'approve-csrs', '--timeout', '20m', ...(crowd.deny ? ['--deny'] : [])];
      const { exitCode, stdout, peakBytes } = await livePeak(argv, options);
      assert.equal(stdout.match(/^node\d+ +issued +good-\d+$/gm)?.length, GOOD, stdout);
      assert.equal(exitCode, 0);
      const named = (type: string): string[] =>
        [...server.objects.values()]
          .filter(({ status }) => status.conditions?.some((condition) => condition.type === type))
          .map(({ metadata }) => metadata.name);
      const [approved, denied] = [named('Approved'), named('Denied')];
      assert.ok(approved.length === GOOD && approved.every((name) => name.startsWith('good-')));
      assert.equal(denied.length, crowd.deny ? crowd.count - GOOD : 0);
      return peakBytes;
    } finally {
      await server.close();
    }
  });
}

for (const [who, crowd] of Object.entries(crowds)) {
  const { count, bytesPerRequest } = crowd;
  many(
    `${who} asked ${count} times: that takes hardly more memory than a tenth of them, and the good ones go through`,
    async () => {
      const few = count / 10;
      const bytes = ((await approve(crowd)) - (await approve({ ...crowd, count: few }))) / (count - few);
      console.log(`  ${bytes.toFixed(0)} bytes a request`);
      assert.ok(bytes < bytesPerRequest);
    },
  );
}

many.run();
