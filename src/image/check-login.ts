import { Failure } from '../diagnostics/failure.ts';
import { readTextFile } from '../edges/read-text-file.ts';

/**
 * Whether the build will have a key to log in with, before minutes go into what comes first. Only an existing machine
 * (`null`) wants one from outside; Packer asks nobody for a passphrase.
 * @param sshKey path of a private key; undefined: an SSH agent has it
 * @throws Failure `ssh-key-unusable`
 */
export function checkLogin(
  source: 'qemu' | 'amazon-ebs' | 'null',
  sshKey: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const reason = sshKey === undefined ? lackOfAgent(source, env) : mistakeInKey(source, sshKey);
  if (reason !== undefined) throw new Failure('ssh-key-unusable', reason);
}

function lackOfAgent(source: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (source !== 'null' || (env['SSH_AUTH_SOCK'] ?? '') !== '') return undefined;
  return 'there is no SSH agent (SSH_AUTH_SOCK is not set) to log in to the machine with; name a key with --ssh-key';
}

function mistakeInKey(source: string, sshKey: string): string | undefined {
  if (source !== 'null') return `with image.source ${source}, the build has a key of its own; leave --ssh-key out`;
  const read = readTextFile(sshKey);
  if (read.kind !== 'text') return `${sshKey} ${read.reason}`;
  const kind = /^-----BEGIN ([A-Z ]*)PRIVATE KEY-----$/m.exec(read.text)?.[1];
  if (kind === undefined) return `${sshKey} is no private key; name the file that has no .pub at its end`;
  if (!isEncrypted(kind, read.text)) return undefined;
  return `${sshKey} has a passphrase, which Packer does not ask for; add it to an SSH agent, and leave --ssh-key out`;
}

/** OpenSSH's own format names its cipher first: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function isEncrypted(kind: string, pem: string): boolean {
  if (kind !== 'OPENSSH ') return pem.includes('ENCRYPTED');
  const start = Buffer.from(pem.replaceAll(/^-.*$/gm, ''), 'base64').toString('latin1', 0, 23);
  return start !== 'openssh-key-v1\0\0\0\0\x04none';
}
