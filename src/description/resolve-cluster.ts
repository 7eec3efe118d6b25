import type { Component as ComponentName } from '../catalog/artifacts.ts';
import { defaultVersions } from '../catalog/default-versions.ts';
import { findDigest } from '../catalog/find-digest.ts';
import { findOperatingSystem } from '../catalog/operating-systems.ts';
import type {
  Apt,
  Architecture,
  Cluster,
  ClusterNetwork,
  Component,
  Containerd,
  ControlPlane,
  Digest,
  Hook,
  Image,
  Interface,
  Kubelet,
  KubeNginx,
  Node,
  Profile,
} from '../cluster/cluster.ts';
import { commonNameOf, parseCertificate } from './certificates.ts';
import type { Inputs } from './inputs.ts';
import { defaultKubeletConfig, mergeKubeletConfig } from './kubelet-config.ts';
import { defaultKubeletFlags, mergeKubeletFlags } from './kubelet-flags.ts';
import { canonical } from './rules/addresses.ts';
import type { ClusterSpec } from './shape/cluster-spec.ts';
import { durationSeconds, parseEndpoint } from './shape/scalars.ts';

/**
 * Fills in every default. It never fails: where a value cannot be right (a file that is missing, a version
 * without a digest) the result holds what can be said, and a rule reports it.
 */
export function resolveCluster(spec: ClusterSpec, inputs: Inputs): Cluster {
  const profile = spec.profile ?? 'default';
  const architecture = spec.architecture ?? 'amd64';
  const network: ClusterNetwork = {
    podCidr: spec.network.podCIDR,
    serviceCidr: spec.network.serviceCIDR,
    dnsDomain: spec.network.dnsDomain ?? 'cluster.local',
    dnsAddress: spec.network.dnsAddress,
  };
  const image = resolveImage(spec, architecture, inputs);
  const containerd = resolveContainerd(spec, profile, architecture);
  const kubelet = resolveKubelet(spec, profile, architecture, network, containerd.sandboxImage);
  return {
    name: spec.name ?? 'kubernetes',
    profile,
    architecture,
    controlPlane: resolveControlPlane(spec, profile, inputs),
    network,
    kubeNginx: resolveKubeNginx(spec, profile, architecture),
    containerd,
    runc: resolveComponent('runc', spec.runc, profile, architecture),
    crictl: resolveComponent('crictl', spec.crictl, profile, architecture),
    cniPlugins: resolveComponent('cniPlugins', spec.cniPlugins, profile, architecture),
    kubelet,
    image,
    downloads: { mirrors: spec.downloads?.mirrors ?? [] },
    lock: { kind: 'none' },
    userData: {
      target: spec.userData?.target ?? (image.source === 'amazon-ebs' ? 'ec2' : 'nocloud'),
      encoding: spec.userData?.encoding ?? 'plain',
      sshAuthorizedKeys: spec.sshAuthorizedKeys ?? [],
    },
    approval: spec.approval ?? 'guide',
    approver: spec.approver === undefined ? { kind: 'none' } : { kind: 'deployment', image: spec.approver.image },
    // The guide's kubeadm token create gives a day.
    tokens: { ttlSeconds: secondsOf(spec.tokens?.ttl ?? '24h') },
    nodes: spec.nodes.map(resolveNode),
  };
}

function resolveControlPlane(spec: ClusterSpec, profile: Profile, inputs: Inputs): ControlPlane {
  const { apiServers, version, certificateAuthority, kubeletClientUser, kubeletClientCertificate } = spec.controlPlane;
  const ca = inputs.files.get(certificateAuthority);
  const client = kubeletClientCertificate === undefined ? undefined : inputs.files.get(kubeletClientCertificate);
  return {
    apiServers: apiServers.flatMap((written) => parseEndpoint(written) ?? []),
    // Not kubelet's own: a newer kubelet beside an older apiserver must not go unnoticed.
    version: version ?? defaultVersions[profile].kubelet,
    certificateAuthority: ca?.kind === 'text' ? ca.text : '',
    kubeletClientUser:
      kubeletClientUser ?? (client?.kind === 'text' ? commonName(client.text) : undefined) ?? 'kubernetes-master',
  };
}

/** The user that an apiserver sees in a client certificate. Undefined where there is none to read, which a rule reports. */
function commonName(pem: string): string | undefined {
  const certificate = parseCertificate(pem);
  return certificate === undefined ? undefined : commonNameOf(certificate);
}

interface ComponentSpec {
  readonly version?: string | undefined;
  readonly sha256?: string | undefined;
  readonly trustFirstDownload?: true | undefined;
}

function resolveComponent(
  name: ComponentName,
  spec: ComponentSpec | undefined,
  profile: Profile,
  architecture: Architecture,
  build: 'dynamic' | 'static' = 'dynamic',
): Component {
  const version = spec?.version ?? defaultVersions[profile][name];
  return { version, digest: resolveDigest(spec, findDigest(name, version, architecture, build)) };
}

/** What a download must match without a lock: `sha256:` in the description before the catalog. */
function resolveDigest(spec: ComponentSpec | undefined, known: string | undefined): Digest {
  if (spec?.sha256 !== undefined) return { kind: 'sha256', hex: spec.sha256, by: 'description' };
  if (known !== undefined) return { kind: 'sha256', hex: known, by: 'catalog' };
  return spec?.trustFirstDownload === true ? { kind: 'trustFirstDownload' } : { kind: 'unknown' };
}

function resolveKubeNginx(spec: ClusterSpec, profile: Profile, architecture: Architecture): KubeNginx {
  const written = spec.kubeNginx;
  const guide = profile === 'guide';
  return {
    ...resolveComponent('nginx', written, profile, architecture),
    listen: parseEndpoint(written?.listen ?? '127.0.0.1:8443') ?? { host: '127.0.0.1', port: 8443 },
    // hash $remote_addr on 127.0.0.1 sends every node to the same apiserver.
    balance: written?.balance ?? (guide ? 'hash $remote_addr consistent' : 'random two least_conn'),
    connectTimeout: written?.connectTimeout ?? '1s',
    maxFails: written?.maxFails ?? 3,
    failTimeout: written?.failTimeout ?? '30s',
    // No client is silent for that long, but one that waits for what a frozen apiserver never sends.
    lossDetection:
      guide && written?.proxyTimeout === undefined
        ? { kind: 'none' }
        : { kind: 'keepalive', proxyTimeout: written?.proxyTimeout ?? '1m' },
  };
}

function resolveContainerd(spec: ClusterSpec, profile: Profile, architecture: Architecture): Containerd {
  const build = spec.containerd?.build ?? 'dynamic';
  const archive = spec.containerd?.sandboxImageArchive;
  return {
    ...resolveComponent('containerd', spec.containerd, profile, architecture, build),
    build,
    directory: spec.containerd?.directory ?? '/data/k8s/containerd',
    sandboxImage: spec.containerd?.sandboxImage ?? defaultSandboxImage(architecture),
    sandboxImageArchive:
      archive === undefined
        ? { kind: 'none' }
        : { kind: 'file', path: archive, digest: { kind: 'trustFirstDownload' } },
  };
}

/** The guide's image exists for amd64 only. */
function defaultSandboxImage(architecture: Architecture): string {
  return architecture === 'amd64'
    ? 'registry.cn-beijing.aliyuncs.com/images_k8s/pause-amd64:3.1'
    : 'registry.k8s.io/pause:3.2';
}

function resolveKubelet(
  spec: ClusterSpec,
  profile: Profile,
  architecture: Architecture,
  network: ClusterNetwork,
  sandboxImage: string,
): Kubelet {
  const directory = spec.kubelet?.directory ?? '/data/k8s/k8s';
  const cgroupDriver = spec.kubelet?.cgroupDriver ?? (profile === 'guide' ? 'cgroupfs' : 'systemd');
  return {
    ...resolveComponent('kubelet', spec.kubelet, profile, architecture),
    directory,
    cgroupDriver,
    config: mergeKubeletConfig(defaultKubeletConfig(profile, network, cgroupDriver), spec.kubelet?.config ?? {}),
    healthzOnNodeAddress: profile === 'guide' && spec.kubelet?.config?.['healthzBindAddress'] === undefined,
    flags: mergeKubeletFlags(defaultKubeletFlags(profile, directory, sandboxImage), spec.kubelet?.flags ?? {}),
  };
}

function resolveImage(spec: ClusterSpec, architecture: Architecture, inputs: Inputs): Image {
  const written = spec.image;
  const os = written?.os ?? 'ubuntu-18.04';
  const facts = findOperatingSystem(os);
  const booted = facts.cgroup;
  const cgroup = written?.cgroup ?? booted;
  return {
    name: written?.name ?? 'kubernetes-worker',
    os,
    cgroup,
    cgroupOnCommandLine: cgroup !== booted,
    source: written?.source ?? 'qemu',
    timeZone: written?.timeZone ?? 'UTC',
    ntpServers: written?.ntpServers ?? [],
    checkAfter: written?.checkAfter ?? '10m',
    packages: written?.packages ?? [],
    apt: resolveApt(written?.apt),
    hooks: (written?.scripts ?? []).map((file, index) => resolveHook(file, index, inputs)),
    qemu: {
      baseImage: written?.qemu?.baseImage ?? facts.baseImage[architecture],
      diskSize: written?.qemu?.diskSize ?? '20G',
      format: written?.qemu?.format ?? 'qcow2',
      memoryMiB: written?.qemu?.memoryMiB ?? 2048,
      cpus: written?.qemu?.cpus ?? 2,
      accelerator: written?.qemu?.accelerator ?? 'kvm',
    },
    amazonEbs: {
      region: written?.amazonEbs?.region ?? 'us-east-1',
      ami: { kind: 'newest' },
      instanceType: written?.amazonEbs?.instanceType ?? (architecture === 'amd64' ? 't3.medium' : 't4g.medium'),
      vpcId: written?.amazonEbs?.vpcId ?? null,
      subnetId: written?.amazonEbs?.subnetId ?? null,
      securityGroupIds: written?.amazonEbs?.securityGroupIds ?? [],
      instanceProfile: written?.amazonEbs?.instanceProfile ?? null,
      volumeSizeGiB: written?.amazonEbs?.volumeSizeGiB ?? 20,
      volumeType: written?.amazonEbs?.volumeType ?? 'gp3',
      kmsKeyId: written?.amazonEbs?.kmsKeyId ?? null,
      tags: written?.amazonEbs?.tags ?? {},
    },
    null: {
      host: written?.null?.host ?? '',
      port: written?.null?.port ?? 22,
      user: written?.null?.user ?? 'root',
      sysprep: written?.null?.sysprep ?? false,
    },
  };
}

function resolveApt(written: NonNullable<ClusterSpec['image']>['apt']): Apt {
  if (written === undefined) return { kind: 'asBaseImage' };
  return { kind: 'mirror', url: written.mirror, securityUrl: written.securityMirror ?? written.mirror };
}

function resolveHook(file: string, index: number, { files }: Inputs): Hook {
  const read = files.get(file);
  const safeName = (file.split('/').at(-1) ?? file).replace(/[^A-Za-z0-9._-]/g, '-');
  return { name: `hook-${index + 1}-${safeName}`, text: read?.kind === 'text' ? read.text : '' };
}

type NodeSpec = ClusterSpec['nodes'][number];
type InterfaceSpec = NonNullable<NodeSpec['interfaces']>[number];

function resolveNode(spec: NodeSpec): Node {
  return {
    name: spec.name,
    // One spelling, so that whoever compares compares texts.
    address: canonical(spec.address),
    interfaces: (spec.interfaces ?? []).map(resolveInterface),
    nameservers: spec.nameservers ?? [],
    searchDomains: spec.searchDomains ?? [],
  };
}

function resolveInterface(spec: InterfaceSpec, index: number): Interface {
  const { name, mac, addresses, gateway, mtu, vlan } = spec;
  return {
    // A name of our own where only the MAC is known; the rules ask for one of the two.
    name: name ?? `lan${index}`,
    match: mac === undefined ? { kind: 'name' } : { kind: 'mac', mac },
    vlan: vlan === undefined ? { kind: 'none' } : { kind: 'vlan', ...vlan },
    addressing:
      addresses === undefined ? { kind: 'dhcp' } : { kind: 'static', addresses: addresses.map(canonicalInterface) },
    gateway: gateway === undefined ? { kind: 'none' } : { kind: 'gateway', address: gateway },
    mtu: mtu === undefined ? { kind: 'default' } : { kind: 'bytes', bytes: mtu },
  };
}

function canonicalInterface(written: string): string {
  const [address = '', prefix = ''] = written.split('/');
  return `${canonical(address)}/${prefix}`;
}

function secondsOf(written: string): number {
  return durationSeconds(written) ?? 0;
}
