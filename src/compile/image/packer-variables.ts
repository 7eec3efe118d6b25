import { findOperatingSystem } from '../../catalog/operating-systems.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { artifactNames } from './artifacts.ts';

/** Beside what a node needs: what scripts/ and rootfs/ call themselves, and no minimal system has for sure. */
const ownPackages = ['curl', 'logrotate', 'openssl', 'tzdata'];

/**
 * bake.auto.pkrvars.json, which Packer reads by its name. Strings in it are no templates: `${}` and `%{}` stay text
 * (https://developer.hashicorp.com/packer/docs/templates/hcl_templates/variables#auto-loaded-variable-definition-files).
 */
export function packerVariables(cluster: Cluster): string {
  const { image, architecture } = cluster;
  const { qemu, amazonEbs } = image;
  const os = findOperatingSystem(cluster.image.os);
  return toSortedJson({
    source: image.source,
    architecture,
    image_name: image.name,
    packages: [...new Set([...os.nodePackages, ...ownPackages, ...image.packages])].sort(),
    nginx_build_packages: os.nginxBuildPackages,
    kubelet_directory: cluster.kubelet.directory,
    containerd_directory: cluster.containerd.directory,
    resolv_conf: os.resolvConf,
    time_zone: image.timeZone,
    artifacts: artifactNames(cluster),
    hooks: image.hooks.map(({ name }) => name),
    sandbox_image: cluster.containerd.sandboxImage,
    apt_mirror: image.apt.kind === 'mirror' ? image.apt.url : '',
    apt_security_mirror: image.apt.kind === 'mirror' ? image.apt.securityUrl : '',

    qemu_base_image_url: qemu.baseImage.url,
    qemu_base_image_checksum: qemu.baseImage.checksum,
    qemu_disk_size: qemu.diskSize,
    qemu_format: qemu.format,
    qemu_memory_mib: qemu.memoryMiB,
    qemu_cpus: qemu.cpus,
    qemu_accelerator: qemu.accelerator,

    amazon_ebs_region: amazonEbs.region,
    amazon_ebs_instance_type: amazonEbs.instanceType,
    amazon_ebs_ami_owner: os.ami.ownerId,
    amazon_ebs_ami_id: amazonEbs.ami.kind === 'id' ? amazonEbs.ami.id : null,
    amazon_ebs_ami_name: os.ami.namePattern[architecture],
    amazon_ebs_root_device: os.ami.rootDevice,
    amazon_ebs_ssh_user: os.ami.loginUser,
    amazon_ebs_vpc_id: amazonEbs.vpcId,
    amazon_ebs_subnet_id: amazonEbs.subnetId,
    amazon_ebs_security_group_ids: amazonEbs.securityGroupIds,
    amazon_ebs_instance_profile: amazonEbs.instanceProfile,
    amazon_ebs_volume_size_gib: amazonEbs.volumeSizeGiB,
    amazon_ebs_volume_type: amazonEbs.volumeType,
    amazon_ebs_kms_key_id: amazonEbs.kmsKeyId,
    amazon_ebs_tags: amazonEbs.tags,

    null_host: image.null.host,
    null_port: image.null.port,
    null_user: image.null.user,
    null_sysprep: image.null.sysprep,
  });
}

function toSortedJson(values: object): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return `${JSON.stringify(values, sorted, 2)}\n`;
}
