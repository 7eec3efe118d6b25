import { DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Dispatcher } from 'undici';
import { awsDefaults, awsTrouble } from './aws.ts';
import { SourceTrouble } from './source-trouble.ts';

/**
 * The newest AMI of an owner whose name fits, as Packer's filter of packer/source-amazon-ebs.pkr.hcl finds it: Ubuntu
 * 18.04 is past its support, and every AMI of it deprecated.
 * @throws SourceTrouble
 */
export async function newestAmi(
  client: Dispatcher,
  { region, owner, namePattern, architecture }: Record<'region' | 'owner' | 'namePattern' | 'architecture', string>,
  signal: AbortSignal,
): Promise<{ id: string; name: string }> {
  const filters = {
    name: namePattern,
    architecture: architecture === 'amd64' ? 'x86_64' : 'arm64',
    'root-device-type': 'ebs',
    'virtualization-type': 'hvm',
  };
  const ec2 = new EC2Client({ ...awsDefaults(client), region });
  try {
    const { Images = [] } = await ec2.send(
      new DescribeImagesCommand({
        Owners: [owner],
        IncludeDeprecated: true,
        Filters: Object.entries(filters).map(([Name, value]) => ({ Name, Values: [value] })),
      }),
      { abortSignal: signal },
    );
    const [newest] = Images.sort((a, b) => ((a.CreationDate ?? '') < (b.CreationDate ?? '') ? 1 : -1));
    if (newest?.ImageId !== undefined) return { id: newest.ImageId, name: newest.Name ?? '' };
  } catch (error) {
    signal.throwIfAborted();
    throw awsTrouble(error);
  } finally {
    ec2.destroy();
  }
  throw new SourceTrouble(`${owner} has no AMI called ${namePattern} there`, { again: false });
}
