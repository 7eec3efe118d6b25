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
import type { Token } from '../../src/tokens/token.ts';
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

/** Of an id that is like no other. */
function tokenOf(node: string): Token {
  const [number = 0] = new Uint32Array(createHash('sha256').update(node).digest().buffer.slice(0, 4));
  return { node, id: (number % 36 ** 6).toString(36).padStart(6, '0'), secret: 'not-in-it', expires: '' };
}

for (const approval of ['guide', 'plan'])
  test(`of 10,000 nodes with long names kubectl apply takes it, with approval: ${approval}`, () => {
    const cluster = {
      approval,
      approver: { kind: 'deployment', image: 'bake' },
      controlPlane: { certificateAuthority, version: '1.18.6' },
      nodes: Array.from({ length: 10_000 }, (_, index) => longNamed(index)),
    } as unknown as Cluster;
    const file = [...approverFiles(cluster, tokenOf, templates)].find(({ path }) => path.endsWith('/inventory.yaml'));
    const object = parse(String(file?.content)) as { binaryData: Record<string, string> };
    // All that is applied goes into an annotation: https://github.com/kubernetes/apimachinery/blob/v0.37.2/pkg/api/validation/objectmeta.go
    const annotated = Buffer.byteLength(JSON.stringify(object));
    assert.ok(annotated < 256 * 1024, `${annotated} bytes`);
    const text = gunzipSync(Buffer.from(object.binaryData['inventory.json.gz'] ?? '', 'base64')).toString();
    const { serving, client } = parseInventory(text)?.plan ?? {};
    assert.deepEqual([serving?.size, client?.size], [10_000, approval === 'plan' ? 10_000 : undefined]);
    assert.ok(!text.includes('not-in-it'));
  });

test('one of two nodes has no name or address of the other, in whatever spelling', () => {
  const parsed = (...nodes: (readonly [string, string])[]) =>
    parseInventory(
      JSON.stringify({ certificateAuthority, nodes: nodes.map(([name, address]) => ({ name, address })) }),
    );
  const good = parsed(['a', 'fd00:0::0044'], ['b', '10.0.0.1']);
  assert.equal(good?.plan.serving.get('system:node:a')?.address, 'fd00::44');
  assert.equal(parsed(['a', '10.0.0.1'], ['a', '10.0.0.2']), undefined);
  assert.equal(parsed(['a', 'fd00::44'], ['b', 'fd00:0::44']), undefined);
});

test('with approval: plan it says who has which token, and one of two nodes has no token of the other', () => {
  const parsed = (approval: 'plan' | undefined, ...tokenIds: readonly (string | undefined)[]) => {
    const nodes = tokenIds.map((tokenId, index) => ({ name: `node${index}`, address: `10.0.0.${index}`, tokenId }));
    return parseInventory(JSON.stringify({ approval, certificateAuthority, nodes }));
  };
  const good = parsed('plan', 'abcdef', undefined, '012345');
  assert.deepEqual(
    [...(good?.plan.client ?? [])].map(([user, { name }]) => [user, name]),
    [
      ['system:bootstrap:abcdef', 'node0'],
      ['system:bootstrap:012345', 'node2'],
    ],
  );
  assert.deepEqual(parsed('plan', undefined)?.plan.client, new Map());
  assert.equal(parsed(undefined, undefined)?.plan.client, undefined);
  assert.equal(parsed(undefined, 'abcdef'), undefined);
  assert.equal(parsed('plan', 'abcdef', 'abcdef'), undefined);
  assert.equal(parsed('plan', 'abcdef.0123456789abcdef'), undefined);
});

test.run();
