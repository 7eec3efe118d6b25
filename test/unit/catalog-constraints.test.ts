import assert from 'node:assert/strict';
import { test } from 'uvu';
import { violations, type Facts } from '../../src/catalog/constraints.ts';
import { defaultVersions } from '../../src/catalog/default-versions.ts';

const versions = defaultVersions.default;

const standard: Facts = {
  os: 'ubuntu-18.04',
  architecture: 'amd64',
  cgroup: 'v1',
  apiServerVersion: '1.18.6',
  versions,
  containerdBuild: 'dynamic',
  nginx: { balance: 'random two least_conn', socketKeepalive: true },
};

type Change = Partial<Omit<Facts, 'versions'>> & { readonly versions?: Partial<Facts['versions']> };

const factsWith = (change: Change): Facts => ({
  ...standard,
  ...change,
  versions: { ...versions, ...change.versions },
});
const blamed = (change: Change) => violations(factsWith(change)).map(({ blame }) => blame);

const debian = {
  os: 'debian-12',
  cgroup: 'v2',
  apiServerVersion: '1.19.0',
  versions: { kubelet: '1.19.0', containerd: '1.4.12' },
} as const;
const containerd2 = {
  apiServerVersion: '1.23.17',
  versions: { containerd: '2.1.0', kubelet: '1.23.17', crictl: '1.24.0' },
} as const;
const arm64 = { architecture: 'arm64', os: 'debian-12', versions: { containerd: '1.6.0' } } as const;

/** By the combination that cannot work: one that violates it, what is blamed, and the nearest that passes. */
const cases: readonly [name: string, violating: Change, blame: string, passing: Change][] = [
  [
    'kubelet too old for bake',
    { versions: { kubelet: '1.17.17' } },
    'kubelet.version',
    { versions: { kubelet: '1.18.0' } },
  ],
  [
    'kubelet too new for bake',
    { versions: { kubelet: '1.24.0' }, apiServerVersion: '1.24.0' },
    'kubelet.version',
    { versions: { kubelet: '1.23.17' }, apiServerVersion: '1.24.0' },
  ],
  ['containerd for arm64', { ...arm64, versions: { containerd: '1.5.18' } }, 'containerd.version', arm64],
  [
    'static containerd',
    { containerdBuild: 'static', versions: { containerd: '1.6.39' } },
    'containerd.build',
    { containerdBuild: 'static', versions: { containerd: '1.7.0' } },
  ],
  ['runc for arm64', { ...arm64, versions: { ...arm64.versions, runc: '1.0.2' } }, 'runc.version', arm64],
  [
    'the containerd that was built on Ubuntu 22.04 by mistake',
    { versions: { containerd: '1.6.7' } },
    'containerd.version',
    { versions: { containerd: '1.6.8' } },
  ],
  [
    'containerd linked against glibc 2.31',
    { versions: { containerd: '1.7.13' } },
    'containerd.version',
    { versions: { containerd: '1.7.13' }, containerdBuild: 'static' },
  ],
  ['containerd linked against glibc 2.35', containerd2, 'containerd.version', { ...containerd2, os: 'debian-12' }],
  ['cgroup v2 and an old kernel', { ...debian, os: 'ubuntu-18.04' }, 'cgroup', debian],
  [
    'cgroup v2 and kubelet',
    { ...debian, versions: { ...debian.versions, kubelet: '1.18.17' } },
    'kubelet.version',
    debian,
  ],
  [
    'cgroup v2 and containerd',
    { ...debian, versions: { ...debian.versions, containerd: '1.3.4' } },
    'containerd.version',
    debian,
  ],
  [
    'cgroup v2 and runc',
    { ...debian, versions: { ...debian.versions, runc: '1.0.0-rc92' } },
    'runc.version',
    { ...debian, versions: { ...debian.versions, runc: '1.0.0-rc93' } },
  ],
  ['kubelet ahead of the apiserver', { apiServerVersion: '1.17.9' }, 'kubelet.version', { apiServerVersion: '1.18.0' }],
  ['kubelet too far behind', { apiServerVersion: '1.21.0' }, 'kubelet.version', { apiServerVersion: '1.20.15' }],
  [
    'CRI: an old kubelet and containerd 2',
    { ...containerd2, os: 'debian-12', versions: { ...containerd2.versions, kubelet: '1.22.17' } },
    'containerd.version',
    { ...containerd2, os: 'debian-12' },
  ],
  ['CRI: a new crictl', { versions: { crictl: '1.26.0' } }, 'crictl.version', { versions: { crictl: '1.25.0' } }],
  [
    'CRI: an old crictl and containerd 2',
    { ...containerd2, os: 'debian-12', versions: { ...containerd2.versions, crictl: '1.23.0' } },
    'crictl.version',
    { ...containerd2, os: 'debian-12' },
  ],
  [
    'random before nginx 1.15.1',
    { versions: { nginx: '1.15.0' }, nginx: { balance: 'random two least_conn', socketKeepalive: false } },
    'nginx.version',
    { versions: { nginx: '1.15.0' }, nginx: { balance: 'least_conn', socketKeepalive: false } },
  ],
  [
    'proxy_socket_keepalive before nginx 1.15.6',
    { versions: { nginx: '1.15.3' } },
    'nginx.version',
    { versions: { nginx: '1.15.3' }, nginx: { balance: 'random two least_conn', socketKeepalive: false } },
  ],
];

for (const [name, violating, blame, passing] of cases) {
  test(name, () => {
    assert.deepEqual(blamed(passing), []);
    assert.ok(blamed(violating).includes(blame as never), JSON.stringify(violations(factsWith(violating))));
  });
}

test('rows for minors that bake does not support yet', () => {
  const kubelet = '1.26.0';
  assert.deepEqual(blamed({ apiServerVersion: '1.29.0', versions: { kubelet, containerd: '1.6.8' } }), [
    'kubelet.version',
  ]);
  assert.deepEqual(blamed({ apiServerVersion: '1.30.0', versions: { kubelet, containerd: '1.6.8' } }), [
    'kubelet.version',
    'kubelet.version',
  ]);
  assert.deepEqual(blamed({ apiServerVersion: '1.26.0', versions: { kubelet, containerd: '1.5.18' } }), [
    'kubelet.version',
    'containerd.version',
  ]);
});

test('the defaults and the guide work on Ubuntu 18.04', () => {
  assert.deepEqual(violations(standard), []);
  const guide: Change = {
    versions: defaultVersions.guide,
    nginx: { balance: 'hash $remote_addr consistent', socketKeepalive: false },
  };
  assert.deepEqual(blamed(guide), []);
});

test('the defaults work on Debian 12 with cgroup v1 only', () => {
  assert.deepEqual(blamed({ os: 'debian-12', cgroup: 'v1' }), []);
  assert.deepEqual(blamed({ os: 'debian-12', cgroup: 'v2' }), ['kubelet.version', 'containerd.version']);
});

test('a message is the fact, then the remedy, and names the other settings that take part', () => {
  assert.deepEqual(violations(factsWith({ os: 'debian-12', cgroup: 'v2' }))[0], {
    blame: 'kubelet.version',
    involves: ['cgroup', 'os'],
    message: 'kubelet 1.18.6 does not start on cgroup v2; choose 1.19.0 or newer, or set image.cgroup to v1',
    source: 'https://github.com/kubernetes/kubernetes/pull/85218',
  });
});

test('what is unknown violates nothing', () => {
  assert.deepEqual(blamed({ versions: { containerd: 'latest', runc: '' } }), []);
});

test.run();
