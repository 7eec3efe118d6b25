import assert from 'node:assert/strict';
import { test } from 'uvu';
import {
  findKubeletField,
  findKubeletFlag,
  kubeletFieldNames,
  kubeletFields,
  kubeletFlagNames,
  kubeletMinorOf,
} from '../../src/catalog/kubelet-options.ts';

test('a field has its type, at any depth', () => {
  assert.deepEqual(findKubeletField('1.18', 'maxPods'), { type: 'int' });
  assert.deepEqual(findKubeletField('1.18', 'authentication.x509.clientCAFile'), { type: 'string' });
  assert.deepEqual(findKubeletField('1.23', 'registerWithTaints[].key'), { type: 'string', since: '1.23' });
});

test('a field is there from the minor that brought it', () => {
  assert.equal(findKubeletField('1.19', 'shutdownGracePeriod'), undefined);
  assert.equal(findKubeletField('1.20', 'shutdownGracePeriod')?.type, 'duration');
  assert.equal(kubeletFields.get('shutdownGracePeriod')?.since, '1.20');
});

test('a name of JavaScript is no field', () => {
  assert.equal(findKubeletField('1.18', 'constructor'), undefined);
  assert.equal(findKubeletFlag('1.18', '__proto__'), undefined);
});

test("every flag of the guide's unit is there in every minor", () => {
  const guide = [
    'bootstrap-kubeconfig',
    'cert-dir',
    'network-plugin',
    'cni-conf-dir',
    'container-runtime',
    'container-runtime-endpoint',
    'root-dir',
    'kubeconfig',
    'config',
    'hostname-override',
    'image-pull-progress-deadline',
    'volume-plugin-dir',
    'logtostderr',
    'v',
  ];
  assert.deepEqual(
    guide.filter((name) => findKubeletFlag('1.18', name) === undefined),
    [],
  );
  assert.deepEqual(
    guide.filter((name) => findKubeletFlag('1.23', name) === undefined),
    [],
  );
});

test('flags come, are deprecated and go', () => {
  assert.equal(findKubeletFlag('1.18', 'memory-manager-policy'), undefined);
  assert.notEqual(findKubeletFlag('1.23', 'memory-manager-policy'), undefined);
  assert.notEqual(findKubeletFlag('1.18', 'chaos-chance'), undefined);
  assert.equal(findKubeletFlag('1.23', 'chaos-chance'), undefined);
  assert.equal(findKubeletFlag('1.18', 'max-pods')?.deprecated, '1.18');
  assert.equal(findKubeletFlag('1.23', 'node-ip')?.deprecated, undefined);
});

test('names are those of one minor', () => {
  assert.equal(kubeletFlagNames('1.18').length, 178);
  assert.equal(kubeletFlagNames('1.23').length, 183);
  assert.ok(kubeletFieldNames('1.18').includes('podCIDR'));
  assert.ok(!kubeletFieldNames('1.18').includes('seccompDefault'));
});

test('a version has a supported minor or none', () => {
  assert.equal(kubeletMinorOf('1.18.6'), '1.18');
  assert.equal(kubeletMinorOf('1.23.0-rc.0'), '1.23');
  assert.equal(kubeletMinorOf('1.2.3'), undefined);
  assert.equal(kubeletMinorOf('1.24.0'), undefined);
});

test.run();
