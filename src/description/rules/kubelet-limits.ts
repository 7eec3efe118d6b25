/** What kubelet demands of a value beyond its type, and how to say so. Values of another type are accepted. */
export interface Limit {
  readonly wanted: string;
  readonly accepts: (value: unknown) => boolean;
}

/** https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity */
export const QUANTITY = /^[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;

/** https://pkg.go.dev/time#ParseDuration */
export const DURATION = /^(0|-?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)$/;

function from(low: number, high = Infinity): Limit {
  const wanted = high === Infinity ? `${low} or more` : `a number from ${low} to ${high}`;
  return { wanted, accepts: (value) => typeof value !== 'number' || (low <= value && value <= high) };
}

function oneOf(...choices: string[]): Limit {
  return { wanted: choices.join(' or '), accepts: (value) => typeof value !== 'string' || choices.includes(value) };
}

function pattern(wanted: string, shape: RegExp): Limit {
  return { wanted, accepts: (value) => typeof value !== 'string' || shape.test(value) };
}

const quantity = pattern('a quantity such as 100Mi', QUANTITY);
const threshold: Limit = {
  wanted: 'a quantity such as 100Mi, or a percentage such as 10%',
  accepts: (value) =>
    typeof value !== 'string' || isPercentage(value) || (QUANTITY.test(value) && !/^(-|\+?[0.]+\D*$)/.test(value)),
};

function isPercentage(value: string): boolean {
  return /^\d+(\.\d+)?%$/.test(value) && Number.parseFloat(value) <= 100;
}

/**
 * With these kubelet ends at its start, although their type is right:
 * https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/apis/config/validation/validation.go
 */
export const fieldLimits: Readonly<Record<string, Limit>> = {
  'authorization.mode': oneOf('Webhook', 'AlwaysAllow'),
  configMapAndSecretChangeDetectionStrategy: oneOf('Get', 'Cache', 'Watch'),
  containerLogMaxFiles: from(2),
  containerLogMaxSize: quantity,
  cpuManagerPolicy: oneOf('none', 'static'),
  eventBurst: from(0),
  eventRecordQPS: from(0),
  hairpinMode: oneOf('promiscuous-bridge', 'hairpin-veth', 'none'),
  healthzPort: from(0, 65_535),
  imageGCHighThresholdPercent: from(0, 100),
  imageGCLowThresholdPercent: from(0, 100),
  iptablesDropBit: from(0, 31),
  iptablesMasqueradeBit: from(0, 31),
  kubeAPIBurst: from(0),
  kubeAPIQPS: from(0),
  maxOpenFiles: from(0),
  maxPods: from(0),
  nodeLeaseDurationSeconds: from(1),
  nodeStatusMaxImages: from(-1),
  oomScoreAdj: from(-1000, 1000),
  podsPerCore: from(0),
  port: from(1, 65_535),
  readOnlyPort: from(0, 65_535),
  registryBurst: from(0),
  registryPullQPS: from(0),
  topologyManagerPolicy: oneOf('none', 'best-effort', 'restricted', 'single-numa-node'),
  topologyManagerScope: oneOf('container', 'pod'),
};

/** `none` stands alone. */
export const itemLimits: Readonly<Record<string, Limit>> = {
  enforceNodeAllocatable: oneOf('pods', 'system-reserved', 'kube-reserved', 'none'),
};

/** https://github.com/kubernetes/kubernetes/blob/v1.18.6/pkg/kubelet/eviction/api/types.go */
const signals = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'allocatableMemory.available',
  'pid.available',
];
/** parseResourceList of https://github.com/kubernetes/kubernetes/blob/v1.18.6/cmd/kubelet/app/server.go */
const resources = ['cpu', 'memory', 'ephemeral-storage', 'pid'];

export const mapLimits: Readonly<Record<string, { readonly keys: readonly string[]; readonly value: Limit }>> = {
  evictionHard: { keys: signals, value: threshold },
  evictionSoft: { keys: signals, value: threshold },
  evictionMinimumReclaim: { keys: signals, value: threshold },
  evictionSoftGracePeriod: { keys: signals, value: pattern('a duration such as 1m30s', DURATION) },
  systemReserved: { keys: resources, value: quantity },
  kubeReserved: { keys: resources, value: quantity },
};
