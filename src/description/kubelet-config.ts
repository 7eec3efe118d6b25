import { nodePaths } from '../cluster/node-paths.ts';
import type { ClusterNetwork, Profile } from '../cluster/cluster.ts';

/** A part of KubeletConfiguration as it is written to YAML. */
export type KubeletConfig = Readonly<Record<string, unknown>>;

/**
 * KubeletConfiguration of the guide, section 3 (3), in its order, without the fields that are each node's own. The
 * profile decides the four values in which the guide is wrong (docs/deviations.md).
 */
export function defaultKubeletConfig(
  profile: Profile,
  network: ClusterNetwork,
  cgroupDriver: 'cgroupfs' | 'systemd',
): KubeletConfig {
  const guide = profile === 'guide';
  return {
    staticPodPath: '',
    syncFrequency: '1m',
    fileCheckFrequency: '20s',
    httpCheckFrequency: '20s',
    staticPodURL: '',
    port: 10250,
    readOnlyPort: 0,
    rotateCertificates: true,
    serverTLSBootstrap: true,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: nodePaths.certificateAuthority },
    },
    authorization: { mode: 'Webhook' },
    registryPullQPS: 0,
    registryBurst: 20,
    eventRecordQPS: 0,
    eventBurst: 20,
    enableDebuggingHandlers: true,
    enableContentionProfiling: true,
    healthzPort: 10248,
    // In the guide it is the node's own address, which kubelet-config.yaml.hbs then writes.
    ...(guide ? {} : { healthzBindAddress: '127.0.0.1' }),
    clusterDomain: network.dnsDomain,
    clusterDNS: [network.dnsAddress],
    nodeStatusUpdateFrequency: '10s',
    nodeStatusReportFrequency: '1m',
    imageMinimumGCAge: '2m',
    imageGCHighThresholdPercent: 85,
    imageGCLowThresholdPercent: 80,
    volumeStatsAggPeriod: '1m',
    kubeletCgroups: '',
    systemCgroups: '',
    cgroupRoot: '',
    cgroupsPerQOS: true,
    cgroupDriver,
    runtimeRequestTimeout: '10m',
    hairpinMode: 'promiscuous-bridge',
    maxPods: 220,
    // The controller allocates each node's own; kubelet's field is for standalone use.
    ...(guide ? { podCIDR: network.podCidr } : {}),
    podPidsLimit: -1,
    resolvConf: guide ? '/etc/resolv.conf' : nodePaths.resolvConf,
    maxOpenFiles: 1_000_000,
    kubeAPIQPS: 1000,
    kubeAPIBurst: 2000,
    serializeImagePulls: false,
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '10%',
      'nodefs.inodesFree': '5%',
      'imagefs.available': '15%',
    },
    evictionSoft: {},
    enableControllerAttachDetach: true,
    failSwapOn: true,
    containerLogMaxSize: '20Mi',
    containerLogMaxFiles: 10,
    systemReserved: {},
    kubeReserved: {},
    systemReservedCgroup: '',
    kubeReservedCgroup: '',
    enforceNodeAllocatable: ['pods'],
  };
}

/** The user's fields over bake's: mappings merge, null removes (as RFC 7396 does), anything else replaces. */
export function mergeKubeletConfig(base: KubeletConfig, over: KubeletConfig): KubeletConfig {
  const merged = new Map(Object.entries(base));
  for (const [field, value] of Object.entries(over)) {
    const below = merged.get(field);
    if (value === null) merged.delete(field);
    else if (isMapping(value)) merged.set(field, mergeKubeletConfig(isMapping(below) ? below : {}, value));
    else merged.set(field, value);
  }
  return Object.fromEntries(merged);
}

function isMapping(value: unknown): value is KubeletConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
