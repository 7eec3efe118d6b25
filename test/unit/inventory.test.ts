import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import { parse } from 'yaml';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { approverFiles } from '../../src/compile/manifest-files.ts';
import { parseInventory } from '../../src/csr/inventory.ts';
import { readPackageFiles } from '../../src/edges/read-package-files.ts';
import { Templates } from '../../src/templates/templates.ts';

// What stands for a description in the cluster.
const test = suite('the inventory');

const root = join(import.meta.dirname, '../..');
const templates = new Templates(readPackageFiles(root));
const certificateAuthority = readFileSync(join(root, 'examples/guide/ca.pem'), 'utf8');

/** Names of 63 letters, of which eight are like nothing else. */
function longNamed(index: number): { readonly name: string; readonly address: string } {
  const hash = createHash('sha256').update(String(index)).digest('hex').slice(0, 8);
  const name = `${hash}-${'worker-pool-of-the-third-rack-in-eu-central-1.example.internal'.slice(0, 54)}`;
  return { name, address: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` };
}

test('of 10,000 nodes with long names kubectl apply takes it', () => {
  const cluster = {
    approver: { kind: 'deployment', image: 'bake' },
    controlPlane: { certificateAuthority, version: '1.18.6' },
    nodes: Array.from({ length: 10_000 }, (_, index) => longNamed(index)),
  } as unknown as Cluster;
  const file = [...approverFiles(cluster, templates)].find(({ path }) => path.endsWith('/inventory.yaml'));
  const object = parse(String(file?.content)) as { binaryData: Record<string, string> };
  // All that is applied goes into an annotation: https://github.com/kubernetes/apimachinery/blob/v0.37.2/pkg/api/validation/objectmeta.go
  const annotated = Buffer.byteLength(JSON.stringify(object));
  assert.ok(annotated < 256 * 1024, `${annotated} bytes`);
  const text = gunzipSync(Buffer.from(object.binaryData['inventory.json.gz'] ?? '', 'base64')).toString();
  assert.equal(parseInventory(text)?.plan.size, 10_000);
});

test('one of two nodes has no name or address of the other, in whatever spelling', () => {
  const parsed = (...nodes: (readonly [string, string])[]) =>
    parseInventory(
      JSON.stringify({ certificateAuthority, nodes: nodes.map(([name, address]) => ({ name, address })) }),
    );
  const good = parsed(['a', 'fd00:0::0044'], ['b', '10.0.0.1']);
  assert.equal(good?.plan.get('system:node:a')?.address, 'fd00::44');
  assert.equal(parsed(['a', '10.0.0.1'], ['a', '10.0.0.2']), undefined);
  assert.equal(parsed(['a', 'fd00::44'], ['b', 'fd00:0::44']), undefined);
});

test.run();
