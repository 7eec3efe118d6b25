import type { Architecture, Component, ContainerdBuild } from './artifacts.ts';
import { kubeletMinors } from './kubelet-options.ts';
import { findOperatingSystem, type CgroupVersion } from './operating-systems.ts';
import { minorOf, satisfies } from './satisfies.ts';

/** What a cluster's node is put together from. */
export interface Facts {
  readonly os: string;
  readonly architecture: Architecture;
  readonly cgroup: CgroupVersion;
  readonly apiServerVersion: string;
  readonly versions: Readonly<Record<Component, string>>;
  readonly containerdBuild: ContainerdBuild;
  readonly nginx: {
    /** The load balancing directive, such as `random two least_conn`. */
    readonly balance: string;
    readonly socketKeepalive: boolean;
  };
}

/** A setting of the description, by what it sets. */
export type Setting =
  | `${Component}.version`
  | 'containerd.build'
  | 'nginx.balance'
  | 'nginx.socketKeepalive'
  | 'os'
  | 'architecture'
  | 'cgroup'
  | 'apiServer.version';

export interface Violation {
  /** The setting to change. */
  readonly blame: Setting;
  /** The others that take part: one of them may be all that was written, where `blame` is a default. */
  readonly involves: readonly Setting[];
  /** The fact, then the remedy. */
  readonly message: string;
  readonly source: string;
}

/** Everything in the catalog that these facts run into, in the order of the rows. */
export function violations(facts: Facts): Violation[] {
  const values = valuesOf(facts);
  return constraints
    .filter(({ never }) =>
      conditionsOf(never).every(([subject, condition]) => holds(subject, values[subject], condition)),
    )
    .map(({ never, blame, because, source }) => ({
      blame,
      involves: settingsOf(never).filter((setting) => setting !== blame),
      message: because.replace(/\{(\w+)\}/g, (_, subject: Subject) => values[subject] ?? ''),
      source,
    }));
}

/** One combination that cannot work: not all conditions of `never` may hold at once. */
interface Constraint {
  readonly never: Readonly<Partial<Record<Subject, string>>>;
  readonly blame: Setting;
  /** The fact, then the remedy; `{subject}` stands for its value. */
  readonly because: string;
  readonly source: string;
}

/**
 * What a condition can be about, and the settings that decide it. A version has a semver range (see satisfies.ts), a
 * name has itself.
 */
const subjects = {
  nginx: { kind: 'version', settings: ['nginx.version'] },
  containerd: { kind: 'version', settings: ['containerd.version'] },
  runc: { kind: 'version', settings: ['runc.version'] },
  crictl: { kind: 'version', settings: ['crictl.version'] },
  kubelet: { kind: 'version', settings: ['kubelet.version'] },
  apiServer: { kind: 'version', settings: ['apiServer.version'] },
  /** How many minors kubelet is older than the apiserver, and how many it is newer. */
  kubeletBehind: { kind: 'version', settings: ['kubelet.version', 'apiServer.version'] },
  kubeletAhead: { kind: 'version', settings: ['kubelet.version', 'apiServer.version'] },
  glibc: { kind: 'version', settings: ['os'] },
  kernel: { kind: 'version', settings: ['os'] },
  os: { kind: 'name', settings: ['os'] },
  cgroup: { kind: 'name', settings: ['cgroup', 'os'] },
  architecture: { kind: 'name', settings: ['architecture'] },
  containerdBuild: { kind: 'name', settings: ['containerd.build'] },
  /** The first word of the load balancing directive. */
  balance: { kind: 'name', settings: ['nginx.balance'] },
  socketKeepalive: { kind: 'name', settings: ['nginx.socketKeepalive'] },
} as const satisfies Readonly<Record<string, { kind: 'version' | 'name'; settings: readonly Setting[] }>>;

type Subject = keyof typeof subjects;

const oldest = kubeletMinors[0];
const newest = kubeletMinors[kubeletMinors.length - 1] ?? oldest;

const constraints: readonly Constraint[] = [
  // What bake itself knows.
  {
    never: { kubelet: `<${oldest} || >${newest}` },
    blame: 'kubelet.version',
    because: `bake knows the fields and flags of kubelet ${oldest} to ${newest}, not those of {kubelet}; choose one of these`,
    source: 'https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/',
  },

  // What upstream publishes.
  {
    never: { containerd: '<1.6', architecture: 'arm64' },
    blame: 'containerd.version',
    because: 'upstream has no arm64 binary of containerd {containerd}; choose 1.6.0 or newer',
    source: 'https://github.com/containerd/containerd/blob/v1.6.0/.github/workflows/release.yml',
  },
  {
    never: { containerd: '<1.7', containerdBuild: 'static' },
    blame: 'containerd.build',
    because:
      'upstream has no static build of containerd {containerd}; choose containerd 1.7.0 or newer, or the dynamic build',
    source: 'https://github.com/containerd/containerd/blob/v1.7.0/.github/workflows/release/Dockerfile',
  },
  {
    never: { runc: '<1.0.3', architecture: 'arm64' },
    blame: 'runc.version',
    because: 'upstream has no arm64 binary of runc {runc}; choose 1.0.3 or newer',
    source: 'https://github.com/opencontainers/runc/releases/tag/v1.0.3',
  },

  // glibc. Releases are built on Ubuntu 18.04 (2.27) up to 1.6, on 20.04 (2.31) from 1.7.0, on 22.04 (2.35) from 2.1.0;
  // 1.6.7 was by mistake built on 22.04. The builds of 1.7 and 2.0 have been seen to start with an older glibc (pull
  // request 8021), but upstream promises nothing, and the static build costs nothing.
  {
    never: { containerd: '1.6.7', containerdBuild: 'dynamic', glibc: '<2.34' },
    blame: 'containerd.version',
    because: 'containerd 1.6.7 needs glibc 2.34, {os} has {glibc}; choose 1.6.8 or newer',
    source: 'https://github.com/containerd/containerd/issues/7255',
  },
  {
    never: { containerd: '>=1.7 <2.1', containerdBuild: 'dynamic', glibc: '<2.31' },
    blame: 'containerd.version',
    because:
      'containerd {containerd} is linked against glibc 2.31, {os} has {glibc}; set containerd.build to static, or choose 1.6',
    source: 'https://github.com/containerd/containerd/pull/8021',
  },
  {
    never: { containerd: '>=2.1', containerdBuild: 'dynamic', glibc: '<2.35' },
    blame: 'containerd.version',
    because:
      'containerd {containerd} is linked against glibc 2.35, {os} has {glibc}; set containerd.build to static, or choose 1.6',
    source: 'https://github.com/containerd/containerd/pull/11685',
  },

  // cgroup v2.
  {
    never: { cgroup: 'v2', kernel: '<5.8' },
    blame: 'cgroup',
    because: 'kubelet needs Linux 5.8 for cgroup v2, {os} has {kernel}; set image.cgroup to v1',
    source: 'https://kubernetes.io/docs/concepts/architecture/cgroups/#requirements',
  },
  {
    never: { cgroup: 'v2', kubelet: '<1.19' },
    blame: 'kubelet.version',
    because: 'kubelet {kubelet} does not start on cgroup v2; choose 1.19.0 or newer, or set image.cgroup to v1',
    source: 'https://github.com/kubernetes/kubernetes/pull/85218',
  },
  {
    never: { cgroup: 'v2', containerd: '<1.4' },
    blame: 'containerd.version',
    because: 'containerd {containerd} knows no cgroup v2; choose 1.4.9 or newer, or set image.cgroup to v1',
    source: 'https://github.com/containerd/containerd/releases/tag/v1.4.0',
  },
  {
    never: { cgroup: 'v2', runc: '<1.0.0-rc.93' },
    blame: 'runc.version',
    because: 'runc {runc} cannot manage cgroup v2; choose 1.0.2 or newer, or set image.cgroup to v1',
    source: 'https://github.com/opencontainers/runc/blob/v1.1.0/docs/cgroup-v2.md',
  },

  // kubelet and the apiserver.
  {
    never: { kubeletAhead: '>0' },
    blame: 'kubelet.version',
    because:
      'kubelet {kubelet} is newer than the apiserver ({apiServer}); choose an older kubelet, or say in controlPlane.version what the apiserver is',
    source: 'https://kubernetes.io/releases/version-skew-policy/#kubelet',
  },
  {
    never: { kubelet: '<1.25', kubeletBehind: '>2' },
    blame: 'kubelet.version',
    because:
      'kubelet {kubelet} is {kubeletBehind} minors older than the apiserver ({apiServer}), and 2 is the most; choose a newer kubelet',
    source: 'https://kubernetes.io/releases/version-skew-policy/#kubelet',
  },
  {
    never: { kubelet: '>=1.25', kubeletBehind: '>3' },
    blame: 'kubelet.version',
    because:
      'kubelet {kubelet} is {kubeletBehind} minors older than the apiserver ({apiServer}), and 3 is the most; choose a newer kubelet',
    source: 'https://kubernetes.io/releases/version-skew-policy/#kubelet',
  },

  // CRI: containerd speaks v1alpha2 up to 1.7 and v1 from 1.6 on; kubelet v1alpha2 up to 1.25 and v1 from 1.23 on;
  // crictl v1alpha2 up to 1.25 and v1 from 1.24 on.
  {
    never: { kubelet: '>=1.26', containerd: '<1.6' },
    blame: 'containerd.version',
    because: 'kubelet {kubelet} speaks CRI v1 only, containerd {containerd} v1alpha2; choose containerd 1.6.0 or newer',
    source: 'https://github.com/kubernetes/kubernetes/pull/110618',
  },
  {
    never: { kubelet: '<1.23', containerd: '>=2' },
    blame: 'containerd.version',
    because: 'kubelet {kubelet} speaks CRI v1alpha2 only, containerd {containerd} v1; choose containerd 1.7 or older',
    source: 'https://github.com/kubernetes/kubernetes/pull/106501',
  },
  {
    never: { crictl: '>=1.26', containerd: '<1.6' },
    blame: 'crictl.version',
    because: 'crictl {crictl} speaks CRI v1 only, containerd {containerd} v1alpha2; choose crictl 1.25 or older',
    source: 'https://github.com/containerd/containerd/pull/7818',
  },
  {
    never: { crictl: '<1.24', containerd: '>=2' },
    blame: 'crictl.version',
    because: 'crictl {crictl} speaks CRI v1alpha2 only, containerd {containerd} v1; choose crictl 1.24.0 or newer',
    source: 'https://github.com/kubernetes-sigs/cri-tools/pull/878',
  },

  // nginx.
  {
    never: { nginx: '<1.15.1', balance: 'random' },
    blame: 'nginx.version',
    because:
      'nginx {nginx} has no `random`, which came with 1.15.1; choose a newer one, or least_conn for kubeNginx.balance',
    source: 'https://nginx.org/en/docs/stream/ngx_stream_upstream_module.html#random',
  },
  {
    never: { nginx: '<1.15.6', socketKeepalive: 'on' },
    blame: 'nginx.version',
    because: 'nginx {nginx} has no proxy_socket_keepalive, which came with 1.15.6; choose a newer one',
    source: 'https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_socket_keepalive',
  },
];

type Values = Readonly<Record<Subject, string | undefined>>;

function valuesOf({ os, architecture, cgroup, apiServerVersion, versions, containerdBuild, nginx }: Facts): Values {
  const system = findOperatingSystem(os);
  const behind = minorOf(apiServerVersion) - minorOf(versions.kubelet);
  return {
    ...versions,
    apiServer: apiServerVersion,
    kubeletBehind: String(Math.max(0, behind)),
    kubeletAhead: String(Math.max(0, -behind)),
    glibc: system.glibc,
    kernel: system.kernel,
    os,
    cgroup,
    architecture,
    containerdBuild,
    balance: nginx.balance.split(' ')[0],
    socketKeepalive: nginx.socketKeepalive ? 'on' : 'off',
  };
}

/** What is not known (an OS that is in no row, a version that is none) violates nothing here; other rules report it. */
function holds(subject: Subject, value: string | undefined, condition: string): boolean {
  if (value === undefined) return false;
  return subjects[subject].kind === 'version' ? satisfies(value, condition) : value === condition;
}

function conditionsOf(never: Constraint['never']): [Subject, string][] {
  return Object.entries(never) as [Subject, string][];
}

function settingsOf(never: Constraint['never']): Setting[] {
  return [...new Set(conditionsOf(never).flatMap(([subject]): readonly Setting[] => subjects[subject].settings))];
}
