import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { describeNodes } from '../bench/describe-nodes.ts';
import { sequence } from '../support/der.ts';
import { fakeApiServer, type Stored } from '../support/fake-apiserver.ts';
import { kubeconfigOf } from '../support/kubeconfig.ts';
import { livePeak } from '../support/live-peak.ts';
import {
  attributes,
  commonName,
  csrOf,
  dns,
  extensionRequest,
  ip,
  namesExtension,
  organization,
} from '../support/make-csr.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

const many = suite('approve-csrs, where many have asked');

const FEW = 1_000;
const MANY = process.env['BAKE_LONG'] === '1' ? 100_000 : 10_000;
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
    return csrOf(
      {
        subject: sequence(organization, commonName(`system:node:${node}`)),
        attributes: attributes(extensionRequest(namesExtension(dns(node), ip(...address.split('.').map(Number))))),
      },
      { metadata: { name: `good-${index}`, uid: `good-${index}` }, spec: { username: `system:node:${node}` } },
    );
  });
const model = csrOf();

/** A good one after so many bad ones. */
function* requests(count: number): Iterable<object> {
  for (let index = 0; index < count; index++) {
    const own = good[index / (count / GOOD)];
    const name = `csr-${index}`;
    const spec = { ...(model['spec'] as object), username: `system:node:stranger${index}` };
    yield own ?? { ...model, metadata: { ...(model['metadata'] as object), name, uid: `uid-${index}` }, spec };
  }
}

/** Approves where so many wait, of which the good ones get their certificates and nobody else. */
async function approve(count: number): Promise<number> {
  return inTemporaryFolder(async (folder) => {
    const server = await fakeApiServer([...requests(count)] as Stored[]);
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

many(`${MANY} requests take hardly more memory than ${FEW}, and the good ones go through`, async () => {
  const bytes = ((await approve(MANY)) - (await approve(FEW))) / (MANY - FEW);
  console.log(`  ${bytes.toFixed(0)} bytes a request`);
  assert.ok(bytes < BYTES_PER_REQUEST);
});

many.run();
