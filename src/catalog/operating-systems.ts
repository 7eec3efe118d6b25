import type { Architecture } from './artifacts.ts';

export type CgroupVersion = 'v1' | 'v2';

/** What an operating system brings along, as far as a node depends on it. */
export interface OperatingSystem {
  readonly name: string;
  readonly glibc: string;
  readonly kernel: string;
  /** What it boots with unless the kernel's command line says otherwise. */
  readonly cgroup: CgroupVersion;
  /** What the kernel's command line must say for the other one. */
  readonly cgroupArguments: Readonly<Record<CgroupVersion, string>>;
  readonly baseImage: Readonly<Record<Architecture, BaseImage>>;
  readonly ami: Readonly<{
    ownerId: string;
    namePattern: Readonly<Record<Architecture, string>>;
    /** The user that may log in to a new instance. */
    loginUser: string;
    /** Each base names its root device as it likes; a mapping under another name would be a second volume. */
    rootDevice: string;
  }>;
  /** Called by kubelet, containerd, runc and the CNI plugins, or taken for granted by the guide's earlier chapters. */
  readonly nodePackages: readonly string[];
  /** For nginx with the guide's configure flags: no HTTP, so neither PCRE nor zlib nor OpenSSL. */
  readonly nginxBuildPackages: readonly string[];
  readonly modprobe: string;
  /** systemd-resolved's file with the real servers; /etc/resolv.conf names its stub, a loop for CoreDNS. */
  readonly resolvConf: string;
}

/** A cloud image that stays as it is: by dated serial, never `current` or `latest`. */
export interface BaseImage {
  readonly url: string;
  /**
   * As Packer's iso_checksum: the digest where independent public sources agree on it, else `file:` and the publisher's
   * own list beside the image.
   */
  readonly checksum: string;
}

/**
 * kubelet's Debian package depends on iptables, iproute2, socat, util-linux, mount, ebtables, ethtool and conntrack
 * (https://github.com/kubernetes/release/blob/v0.4.0/cmd/kubepkg/templates/latest/deb/kubelet/debian/control); ipset and jq are the guide's;
 * modprobe is in kmod; containerd up to 1.4 is linked with libseccomp and pulls images over TLS.
 */
const nodePackages = [
  'ca-certificates',
  'conntrack',
  'ebtables',
  'ethtool',
  'iproute2',
  'ipset',
  'iptables',
  'jq',
  'kmod',
  'libseccomp2',
  'mount',
  'socat',
  'util-linux',
];

/** libc6-dev is only recommended by gcc, and --no-install-recommends leaves it out. */
const nginxBuildPackages = ['gcc', 'libc6-dev', 'make'];

/** The kernel's command line is read by systemd: https://www.freedesktop.org/software/systemd/man/252/systemd.html */
const cgroupArguments = {
  v1: 'systemd.unified_cgroup_hierarchy=0',
  v2: 'systemd.unified_cgroup_hierarchy=1',
} as const;

/** Both boot systemd-resolved: bionic from the start, Debian's cloud images since bookworm (kubernetes/kops#15502). */
const resolvConf = '/run/systemd/resolve/resolv.conf';

const operatingSystems: readonly OperatingSystem[] = [
  {
    name: 'ubuntu-18.04',
    // https://packages.ubuntu.com/bionic-updates/ (libc6, linux-image-generic)
    glibc: '2.27',
    kernel: '4.15',
    cgroup: 'v1',
    cgroupArguments,
    baseImage: {
      // The last serial of standard support. The digest stands in OSISM's image list
      // (https://github.com/osism/openstack-image-manager/blob/main/etc/images/ubuntu.yml, 20230607) and in others;
      // for arm64 no second source was found.
      amd64: bionicImage('amd64', 'sha256:8dd2e6b5e5aad20c3f836123b300cba9861249408cbb07c359145a65d6bab6b6'),
      arm64: bionicImage('arm64'),
    },
    ami: {
      // https://documentation.ubuntu.com/aws/en/latest/aws-how-to/instances/find-ubuntu-images/
      ownerId: '099720109477',
      namePattern: {
        amd64: 'ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-amd64-server-*',
        arm64: 'ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-arm64-server-*',
      },
      loginUser: 'ubuntu',
      rootDevice: '/dev/sda1',
    },
    nodePackages,
    nginxBuildPackages,
    modprobe: '/sbin/modprobe',
    resolvConf,
  },
  {
    name: 'debian-12',
    // https://packages.debian.org/bookworm/ (libc6, linux-image-amd64)
    glibc: '2.36',
    kernel: '6.1',
    cgroup: 'v2',
    cgroupArguments,
    baseImage: {
      // The digest stands in two unrelated projects' lists for this serial; for arm64 in one only.
      amd64: bookwormImage(
        'amd64',
        'sha512:0b04eda1c80b255d6234ae6fe63c43a6cb0de4afc5c37873acbc82d5b1feba7a619d2402d2341af1cf9e0898fa7d5225be343fef47349b18fe28b838001bd8eb',
      ),
      arm64: bookwormImage('arm64'),
    },
    ami: {
      // https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm
      ownerId: '136693071363',
      namePattern: { amd64: 'debian-12-amd64-*', arm64: 'debian-12-arm64-*' },
      loginUser: 'admin',
      rootDevice: '/dev/xvda',
    },
    // In Ubuntu 18.04 both are part of every system. Without netplan cloud-init writes for networkd, and there 22.4 leaves
    // out VLANs and what is optional at boot.
    nodePackages: [...nodePackages, 'netplan.io', 'systemd-timesyncd'],
    nginxBuildPackages,
    modprobe: '/sbin/modprobe',
    resolvConf,
  },
];

export const operatingSystemNames: readonly string[] = operatingSystems.map(({ name }) => name);

/** Throws on any other name: the shape of the description lets none through. */
export function findOperatingSystem(name: string): OperatingSystem {
  const system = operatingSystems.find((known) => known.name === name);
  if (system === undefined) throw new Error(`no operating system is called ${name}`);
  return system;
}

function bionicImage(architecture: Architecture, digest?: string): BaseImage {
  const serial = '20230607';
  const folder = `https://cloud-images.ubuntu.com/releases/bionic/release-${serial}`;
  return {
    url: `${folder}/ubuntu-18.04-server-cloudimg-${architecture}.img`,
    checksum: digest ?? `file:${folder}/SHA256SUMS`,
  };
}

/** `generic`, since the kernel of `genericcloud` lacks the drivers of many a hypervisor. Debian signs SHA-512 only. */
function bookwormImage(architecture: Architecture, digest?: string): BaseImage {
  const serial = '20260806-2562';
  const folder = `https://cloud.debian.org/images/cloud/bookworm/${serial}`;
  return {
    url: `${folder}/debian-12-generic-${architecture}-${serial}.qcow2`,
    checksum: digest ?? `file:${folder}/SHA512SUMS`,
  };
}
