/** What a system's AMIs have otherwise than its cloud images: Debian's login is admin there. */
interface AmazonMachineImage {
  readonly loginUser: string;
  /** Each base names its root device as it likes; a mapping under another name would be a second volume. */
  readonly rootDevice: string;
}

/**
 * By the name of the operating system:
 * https://documentation.ubuntu.com/aws/en/latest/ and https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm
 */
export const amazonMachineImages: ReadonlyMap<string, AmazonMachineImage> = new Map([
  ['ubuntu-18.04', { loginUser: 'ubuntu', rootDevice: '/dev/sda1' }],
  ['debian-12', { loginUser: 'admin', rootDevice: '/dev/xvda' }],
]);
