import assert from 'node:assert/strict';
import { test } from 'uvu';
import { artifactOf } from '../../src/catalog/artifacts.ts';
import { defaultVersions } from '../../src/catalog/default-versions.ts';
import { findDigest, pinnedVersions } from '../../src/catalog/find-digest.ts';

test("the guide's own downloads", () => {
  const urls = [
    artifactOf('nginx', '1.15.3', 'amd64').url,
    artifactOf('crictl', '1.17.0', 'amd64').url,
    artifactOf('runc', '1.0.0-rc10', 'amd64').url,
    artifactOf('cniPlugins', '0.8.5', 'amd64').url,
    artifactOf('containerd', '1.3.3', 'amd64').url,
    artifactOf('kubelet', '1.18.6', 'arm64').url,
  ];
  assert.deepEqual(urls, [
    'https://nginx.org/download/nginx-1.15.3.tar.gz',
    'https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.17.0/crictl-v1.17.0-linux-amd64.tar.gz',
    'https://github.com/opencontainers/runc/releases/download/v1.0.0-rc10/runc.amd64',
    'https://github.com/containernetworking/plugins/releases/download/v0.8.5/cni-plugins-linux-amd64-v0.8.5.tgz',
    'https://github.com/containerd/containerd/releases/download/v1.3.3/containerd-1.3.3.linux-amd64.tar.gz',
    'https://dl.k8s.io/release/v1.18.6/bin/linux/arm64/kubelet',
  ]);
});

test("containerd's file name changed at 1.3.5 and differs by build", () => {
  assert.equal(artifactOf('containerd', '1.3.4', 'amd64').fileName, 'containerd-1.3.4.linux-amd64.tar.gz');
  assert.equal(artifactOf('containerd', '1.3.5', 'amd64').fileName, 'containerd-1.3.5-linux-amd64.tar.gz');
  assert.equal(artifactOf('containerd', '1.6.0', 'arm64').fileName, 'containerd-1.6.0-linux-arm64.tar.gz');
  assert.equal(
    artifactOf('containerd', '1.7.0', 'arm64', 'static').fileName,
    'containerd-static-1.7.0-linux-arm64.tar.gz',
  );
});

test('a digest is found by component, version, architecture and build', () => {
  const guideKubelet = '2eb9baf5a65a7b94c653dbd7af03a768a520961eb27ef369e43ef12711e22d4a';
  assert.equal(findDigest('kubelet', '1.18.6', 'amd64'), guideKubelet);
  assert.notEqual(findDigest('kubelet', '1.18.6', 'arm64'), guideKubelet);
  assert.equal(findDigest('nginx', '1.28.0', 'arm64'), findDigest('nginx', '1.28.0', 'amd64'));
  assert.notEqual(
    findDigest('containerd', '1.7.13', 'amd64', 'static'),
    findDigest('containerd', '1.7.13', 'amd64', 'dynamic'),
  );
});

test('an unknown version has no digest', () => {
  assert.equal(findDigest('runc', '1.0.0-rc10', 'amd64'), undefined);
  assert.equal(findDigest('containerd', '1.3.3', 'arm64'), undefined);
  assert.equal(findDigest('containerd', '1.6.0', 'amd64', 'static'), undefined);
  assert.equal(findDigest('kubelet', 'constructor', 'amd64'), undefined);
});

test('every default version is pinned', () => {
  const { default: versions, guide } = defaultVersions;
  assert.equal(findDigest('nginx', versions.nginx, 'amd64')?.length, 64);
  assert.equal(findDigest('containerd', versions.containerd, 'amd64')?.length, 64);
  assert.equal(findDigest('runc', versions.runc, 'amd64')?.length, 64);
  assert.equal(findDigest('crictl', versions.crictl, 'amd64')?.length, 64);
  assert.equal(findDigest('cniPlugins', versions.cniPlugins, 'amd64')?.length, 64);
  assert.equal(findDigest('kubelet', versions.kubelet, 'amd64')?.length, 64);
  assert.deepEqual({ ...versions, nginx: guide.nginx, runc: guide.runc }, guide);
});

test('pinned versions come newest first, for the architecture that has them', () => {
  assert.deepEqual(pinnedVersions('nginx', 'arm64'), ['1.28.0', '1.26.3', '1.24.0', '1.22.1', '1.15.3']);
  assert.equal(pinnedVersions('runc', 'amd64')[0], defaultVersions.default.runc);
  assert.equal(pinnedVersions('containerd', 'arm64').at(-1), '1.6.0');
  assert.equal(pinnedVersions('containerd', 'amd64', 'static').at(-1), '1.7.0');
  assert.equal(pinnedVersions('kubelet', 'amd64').at(-1), '1.18.0');
});

test.run();
