import { z } from 'zod';
import { operatingSystemNames } from '../../catalog/operating-systems.ts';
import { dnsName, duration, fileName, freeText, host, longText } from './scalars.ts';

const port = z.int().min(1).max(65_535);

// The same patterns as in packer/variables*.pkr.hcl, so that a mistake shows on the line where it was made; a test
// compares them.
const matching = (pattern: RegExp, what: string) => z.string().regex(pattern, `must be ${what}`);

const qemuShape = z.strictObject({
  baseImage: z
    .strictObject({
      url: freeText,
      checksum: matching(
        /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|file:.+|none)$/,
        'sha256:DIGEST, sha512:DIGEST or file:URL of a list of them, as Packer takes it',
      ),
    })
    .optional()
    .describe('A cloud image of the operating system; by default a dated serial of its own.'),
  diskSize: matching(/^[1-9][0-9]*[GM]$/, 'a size such as 20G').optional(),
  format: z.enum(['qcow2', 'raw', 'vmdk']).optional().describe('Format of the disk image.'),
  memoryMiB: z.int().min(512).optional(),
  cpus: z.int().min(1).optional(),
  accelerator: z.enum(['kvm', 'hvf', 'tcg', 'none']).optional(),
});

const amazonEbsShape = z.strictObject({
  region: matching(/^[a-z]{2,}(-[a-z]+)+-[0-9]+$/, 'a region such as eu-central-1').optional(),
  instanceType: matching(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'an instance type such as t3.medium').optional(),
  vpcId: matching(/^vpc-[0-9a-f]+$/, 'an id such as vpc-0123456789abcdef0').optional(),
  subnetId: matching(/^subnet-[0-9a-f]+$/, 'an id such as subnet-0123456789abcdef0').optional(),
  securityGroupIds: z.array(matching(/^sg-[0-9a-f]+$/, 'an id such as sg-0123456789abcdef0')).optional(),
  instanceProfile: matching(/^[A-Za-z0-9+=,.@_-]+$/, 'the name of an instance profile').optional(),
  volumeSizeGiB: z.int().min(8).max(16_384).optional(),
  volumeType: z.enum(['gp2', 'gp3', 'standard']).optional().describe('The others cannot boot, or need an IOPS figure.'),
  kmsKeyId: matching(/^[A-Za-z0-9:/_-]+$/, 'the id, alias or ARN of a KMS key').optional(),
  tags: z.record(z.string(), longText).optional(),
});

const nullShape = z.strictObject({
  host: host.describe('The machine that is baked over SSH.'),
  port: port.optional(),
  user: matching(/^[A-Za-z_][A-Za-z0-9._-]*$/, 'the name of a user').optional(),
  sysprep: z
    .boolean()
    .optional()
    .describe('true: the machine becomes an image, and loses its host keys, machine-id, network and authorized keys.'),
});

const aptMirror = matching(/^(https?|file):\/\/[^ ]+$/, 'a URL such as http://mirror.example.org/ubuntu');

const aptShape = z.strictObject({
  mirror: aptMirror.describe("Mirror of the system's archive, for the bake and for the nodes."),
  securityMirror: aptMirror.optional().describe('Mirror of its security updates; on Ubuntu the same one has them.'),
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
  timeZone: matching(
    /^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/,
    'a name of the tz database, such as Asia/Shanghai',
  ).optional(),
  ntpServers: z.array(host).optional(),
  checkAfter: duration
    .optional()
    .describe('How long after its boot a machine that has not joined says why, and has a failed unit.'),
  packages: z
    .array(matching(/^[a-z0-9][a-z0-9+.-]+$/, 'the name of a Debian package'))
    .optional()
    .describe('Further packages, installed by apt while the image is baked.'),
  apt: aptShape.optional(),
  scripts: z
    .array(fileName)
    .min(1)
    .optional()
    .describe('Scripts of your own, relative to this file; they run as root in the image before it is checked.'),
  qemu: qemuShape.optional(),
  amazonEbs: amazonEbsShape.optional(),
  null: nullShape.optional(),
});
