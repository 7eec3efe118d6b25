import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { test } from 'uvu';
import { createBuildKey } from '../../src/image/build-key.ts';

test('the public line holds the public half of the private key', () => {
  const { publicKey, privateKey } = createBuildKey();
  const [type, blob = '', comment] = publicKey.split(' ');
  assert.deepEqual([type, comment], ['ssh-ed25519', 'bake']);
  const { x } = createPublicKey(createPrivateKey(privateKey)).export({ format: 'jwk' });
  const raw = Buffer.from(x ?? '', 'base64url');
  assert.deepEqual(
    Buffer.from(blob, 'base64'),
    Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), raw]),
  );
});

test('no two builds have the same key', () => {
  assert.notEqual(createBuildKey().publicKey, createBuildKey().publicKey);
});

test.run();
