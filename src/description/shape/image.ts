import { z } from 'zod';
import { operatingSystemNames } from '../../catalog/operating-systems.ts';
import { dnsName, freeText, host, longText } from './scalars.ts';

const port = z.int().min(1).max(65_535);

const qemuShape = z.strictObject({
  baseImage: z
    .strictObject({
      url: freeText,
      checksum: freeText.describe("As Packer's iso_checksum: sha256:… or file:URL of a SHA256SUMS."),
    })
    .optional()
    .describe('A cloud image of the operating system; by default a dated serial of its own.'),
  diskSize: z
    .string()
    .regex(/^[1-9][0-9]*[GM]$/, 'must be a size such as 20G')
    .optional(),
  memoryMiB: z.int().min(512).optional(),
  cpus: z.int().min(1).optional(),
  accelerator: z.enum(['kvm', 'hvf', 'tcg', 'none']).optional(),
});

const amazonEbsShape = z.strictObject({
  region: freeText.optional(),
  instanceType: freeText.optional(),
  vpcId: freeText.optional(),
  subnetId: freeText.optional(),
  securityGroupIds: z.array(freeText).optional(),
  instanceProfile: freeText.optional(),
  volumeSizeGiB: z.int().min(8).max(16_384).optional(),
  volumeType: z.enum(['gp2', 'gp3', 'standard']).optional().describe('The others cannot boot, or need an IOPS figure.'),
  kmsKeyId: freeText.optional(),
  tags: z.record(z.string(), longText).optional(),
});

const nullShape = z.strictObject({
  host: host.describe('The machine that is baked over SSH.'),
  port: port.optional(),
  user: freeText.optional(),
});

export const imageShape = z.strictObject({
  name: dnsName.optional().describe('Name of the image; a time is added where names must be unique.'),
  os: z.enum(operatingSystemNames).optional().describe('The operating system that the image starts from.'),
  cgroup: z
    .enum(['v1', 'v2'])
    .optional()
    .describe("v1 puts it on the kernel's command line where the system boots with v2."),
  source: z
    .enum(['qemu', 'amazon-ebs', 'null'])
    .optional()
    .describe('What packer build makes: a disk image, an AMI, or an existing machine.'),
  timeZone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/, 'must be a name of the tz database, such as Asia/Shanghai')
    .optional(),
  ntpServers: z.array(host).optional(),
  packages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'must be the name of a Debian package'))
    .optional()
    .describe('Further packages, installed by apt while the image is baked.'),
  qemu: qemuShape.optional(),
  amazonEbs: amazonEbsShape.optional(),
  null: nullShape.optional(),
});
