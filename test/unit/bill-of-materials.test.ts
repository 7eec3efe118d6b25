import assert from 'node:assert/strict';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { suite } from 'uvu';
import { billOfMaterials } from '../../src/image/bill-of-materials.ts';

const bill = suite('bill of materials');

const kubelet = {
  name: 'kubelet',
  version: '1.18.6',
  url: 'https://dl.k8s.io/release/v1.18.6/bin/linux/amd64/kubelet',
  sha256: '2eb9baf5a65a7b94c653dbd7af03a768a520961eb27ef369e43ef12711e22d4a',
};

const image = {
  image: 'kubernetes-worker',
  os: 'debian-12',
  releases: [kubelet],
  packages: 'zlib1g\t1:1.2.13.dfsg-1\tamd64\nlibc6\t2.36-9+deb12u8\tamd64\n',
  inputs: { 'bake.lock': 'ab'.repeat(32) },
  sha256: 'cd'.repeat(32),
};

bill("is what CycloneDX's own schema allows", async () => {
  const wrong: unknown = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(billOfMaterials(image));
  assert.equal(wrong, null, JSON.stringify(wrong));
});

bill('names releases with their digests, packages by their distribution, and what the image was made from', () => {
  const { metadata, components } = JSON.parse(billOfMaterials(image)) as {
    metadata: { component: { hashes: unknown; properties: unknown } };
    components: { name: string; version: string; purl: string; hashes?: unknown }[];
  };
  assert.deepEqual(metadata.component.hashes, [{ alg: 'SHA-256', content: image.sha256 }]);
  assert.deepEqual(metadata.component.properties, [{ name: 'bake:input:bake.lock', value: image.inputs['bake.lock'] }]);
  const of = (name: string) => components.find((component) => component.name === name);
  assert.deepEqual(of('kubelet')?.hashes, [{ alg: 'SHA-256', content: kubelet.sha256 }]);
  assert.equal(of('libc6')?.purl, 'pkg:deb/debian/libc6@2.36-9+deb12u8?arch=amd64&distro=debian-12');
  assert.equal(of('zlib1g')?.version, '1:1.2.13.dfsg-1');
  assert.equal(components.length, 3);
});

bill('the same image has the same bytes, in whatever order packages are listed', () => {
  const packages = image.packages.trimEnd().split('\n').reverse().join('\n');
  assert.equal(billOfMaterials({ ...image, packages }), billOfMaterials(image));
});

bill.run();
