import assert from 'node:assert/strict';
import { test } from 'uvu';
import { findOperatingSystem, operatingSystemNames } from '../../src/catalog/operating-systems.ts';
import { findPlatform, platformNames } from '../../src/catalog/platforms.ts';

test('base images are dated, and have a digest or the list that holds it', () => {
  for (const name of operatingSystemNames) {
    for (const { url, checksum } of Object.values(findOperatingSystem(name).baseImage)) {
      assert.match(url, /\/(release-)?20\d{6}(-\d+)?\//);
      assert.match(checksum, /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|file:https:.*\/SHA(256|512)SUMS)$/);
    }
  }
});

test('systems are found by name', () => {
  assert.deepEqual(operatingSystemNames, ['ubuntu-18.04', 'debian-12']);
  assert.equal(findOperatingSystem('ubuntu-18.04').cgroup, 'v1');
  assert.equal(findOperatingSystem('debian-12').cgroup, 'v2');
  assert.throws(() => findOperatingSystem('debian-13'), /no operating system is called debian-13/);
});

test('each platform takes what it can', () => {
  assert.deepEqual(platformNames, ['nocloud', 'ec2', 'openstack']);
  assert.deepEqual(findPlatform('ec2'), { userDataLimit: 16_384, takesMetaData: false, takesNetworkConfig: false });
  assert.equal(findPlatform('nocloud').takesNetworkConfig, true);
  assert.throws(() => findPlatform('EC2'), /no platform is called EC2/);
});

test("OpenStack's limit is the most whose base64 it still takes", () => {
  const { userDataLimit } = findPlatform('openstack');
  assert.ok(userDataLimit !== null);
  assert.ok(Buffer.alloc(userDataLimit).toString('base64').length <= 65_535);
  assert.ok(Buffer.alloc(userDataLimit + 1).toString('base64').length > 65_535);
});

test.run();
