/**
 * What the description means, with every default resolved. The rules read it, and once they found no error, everything
 * that is written is made from it. What may be absent is a tagged union, never '' or 0.
 *
 * Strings that name machines (addresses, CIDRs, DNS names, durations) stay as written; the rules have checked them.
 */
export interface Cluster {
  /** The name inside kubeconfigs; the guide's is `kubernetes`. */
  readonly name: string;
  /** `guide` brings back every literal value of the guide, also where it is wrong (docs/deviations.md). */
  readonly profile: Profile;
  readonly architecture: Architecture;
  readonly controlPlane: ControlPlane;
  readonly network: ClusterNetwork;
  readonly kubeNginx: KubeNginx;
  readonly containerd: Containerd;
  readonly runc: Component;
  readonly crictl: Component;
  readonly cniPlugins: Component;
  readonly kubelet: Kubelet;
  readonly image: Image;
  readonly downloads: Downloads;
  readonly lock: LockState;
  readonly userData: UserData;
  readonly approval: Approval;
  readonly approver: Approver;
  readonly tokens: { readonly ttlSeconds: number };
  readonly nodes: readonly Node[];
}

/**
 * Who approves the client certificate with which a node joins: the cluster, for whoever has any live bootstrap token, as in
 * the guide; or bake, for who has the token of that node.
 */
export type Approval = 'guide' | 'plan';

/** bake inside the cluster, by its container image. */
export type Approver = { readonly kind: 'none' } | { readonly kind: 'deployment'; readonly image: string };

export type Profile = 'default' | 'guide';
export type Architecture = 'amd64' | 'arm64';

export interface ControlPlane {
  /** The apiservers behind kube-nginx. */
  readonly apiServers: readonly Endpoint[];
  readonly version: string;
  /** PEM, one or more certificates: what kubelet and its clients trust. */
  readonly certificateAuthority: string;
  /** The user that the apiserver's client certificate names when it calls a kubelet. */
  readonly kubeletClientUser: string;
}

/** A host (IPv4, IPv6 without brackets, or DNS name) and a TCP port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface ClusterNetwork {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly dnsDomain: string;
  readonly dnsAddress: string;
}

/** One upstream release, and how its download is checked. */
export interface Component {
  readonly version: string;
  readonly digest: Digest;
}

export type Digest =
  | { readonly kind: 'sha256'; readonly hex: string; readonly by: 'catalog' | 'description' | 'lock' }
  /** `trustFirstDownload: true`: nothing to compare the first download with. */
  | { readonly kind: 'trustFirstDownload' }
  /** Neither; the rules report it, so that no Cluster without errors has one. */
  | { readonly kind: 'unknown' };

/** Where downloads are looked for before their upstream, in this order. */
export interface Downloads {
  /** A mirror holds MIRROR/HOST/PATH of an upstream URL. */
  readonly mirrors: readonly string[];
}

/** Whether the digests of the downloads are those of a bake.lock, and of which. */
export type LockState = { readonly kind: 'none' } | { readonly kind: 'locked'; readonly sha256: string };

export interface KubeNginx extends Component {
  readonly listen: Endpoint;
  /** The load balancing directive of the upstream, without its semicolon. */
  readonly balance: string;
  readonly connectTimeout: string;
  readonly maxFails: number;
  readonly failTimeout: string;
  readonly lossDetection: LossDetection;
}

/** How kube-nginx notices an apiserver that vanished without a word; the guide has no way to. */
export type LossDetection = { readonly kind: 'none' } | { readonly kind: 'keepalive'; readonly proxyTimeout: string };

export interface Containerd extends Component {
  /** `static` runs on any glibc; upstream publishes it from 1.7.0 on. */
  readonly build: 'dynamic' | 'static';
  /** The guide's CONTAINERD_DIR. */
  readonly directory: string;
  readonly sandboxImage: string;
  readonly sandboxImageArchive: SandboxImageArchive;
}

/** A tarball of the pause image, by its path from the folder of the description; a lock says what it holds. */
export type SandboxImageArchive =
  { readonly kind: 'none' } | { readonly kind: 'file'; readonly path: string; readonly digest: Digest };

export interface Kubelet extends Component {
  /** The guide's K8S_DIR; kubelet's root is its subfolder `kubelet`. */
  readonly directory: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** KubeletConfiguration without the fields that are each node's own; order is the order in the file. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whether healthz listens on the node's own address (the guide) or on 127.0.0.1, which `config` then says. */
  readonly healthzOnNodeAddress: boolean;
  /** In the order of the unit. */
  readonly flags: readonly KubeletFlag[];
}

/** A flag of kubelet's unit: a text that arrives as it is, or a variable of kubelet.env. */
export interface KubeletFlag {
  readonly name: string;
  readonly value:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'variable'; readonly variable: 'KUBELET_HOSTNAME' | 'KUBELET_NODE_IP' };
}

export interface Image {
  readonly name: string;
  readonly os: string;
  readonly cgroup: 'v1' | 'v2';
  /** Whether `cgroup` differs from what the OS boots with, so that the kernel's command line must say it. */
  readonly cgroupOnCommandLine: boolean;
  readonly source: 'qemu' | 'amazon-ebs' | 'null';
  readonly timeZone: string;
  readonly ntpServers: readonly string[];
  /** How long after boot bake-check runs; systemd reads it as it stands. */
  readonly checkAfter: string;
  readonly packages: readonly string[];
  readonly apt: Apt;
  /** The user's own, in the order in which they run. */
  readonly hooks: readonly Hook[];
  readonly qemu: QemuSource;
  readonly amazonEbs: AmazonEbsSource;
  readonly null: NullSource;
}

/** Where apt gets packages, in the bake and on the nodes. */
export type Apt =
  { readonly kind: 'asBaseImage' } | { readonly kind: 'mirror'; readonly url: string; readonly securityUrl: string };

/** A script of the user's that runs in the image. */
export interface Hook {
  /** hook-1-NAME, by which Packer's output tells what runs. */
  readonly name: string;
  readonly text: string;
}

export interface QemuSource {
  readonly baseImage: { readonly url: string; readonly checksum: string };
  readonly diskSize: string;
  readonly format: 'qcow2' | 'raw' | 'vmdk';
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly accelerator: string;
}

export interface AmazonEbsSource {
  readonly region: string;
  /** What the AMI starts from: a lock names one. */
  readonly ami: { readonly kind: 'newest' } | { readonly kind: 'id'; readonly id: string };
  readonly instanceType: string;
  readonly vpcId: string | null;
  readonly subnetId: string | null;
  readonly securityGroupIds: readonly string[];
  readonly instanceProfile: string | null;
  readonly volumeSizeGiB: number;
  readonly volumeType: string;
  readonly kmsKeyId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

export interface NullSource {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Whether the machine becomes an image, or stays the machine that it is. */
  readonly sysprep: boolean;
}

export interface UserData {
  readonly target: string;
  readonly encoding: 'plain' | 'gzip';
  readonly sshAuthorizedKeys: readonly string[];
}

/** One worker as planned: compile, approve-csrs and verify all go by it. */
export interface Node {
  readonly name: string;
  readonly address: string;
  /** Empty: the machine's first interface, by DHCP. */
  readonly interfaces: readonly Interface[];
  readonly nameservers: readonly string[];
  readonly searchDomains: readonly string[];
}

export interface Interface {
  readonly name: string;
  readonly match: { readonly kind: 'mac'; readonly mac: string } | { readonly kind: 'name' };
  readonly vlan: { readonly kind: 'none' } | { readonly kind: 'vlan'; readonly id: number; readonly link: string };
  readonly addressing: { readonly kind: 'dhcp' } | { readonly kind: 'static'; readonly addresses: readonly string[] };
  readonly gateway: { readonly kind: 'none' } | { readonly kind: 'gateway'; readonly address: string };
  readonly mtu: { readonly kind: 'default' } | { readonly kind: 'bytes'; readonly bytes: number };
}
