import { arch, platform } from 'node:os';
import { getuid } from 'node:process';
import { execa } from 'execa';
import type { Architecture } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';

/** What rehearsal/boot and machine.ts run, and Debian's package of each. */
const programs = {
  'systemd-nspawn': 'systemd-container',
  ip: 'iproute2',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  unshare: 'util-linux',
} as const;

/** As Node names it. */
const archOf: Readonly<Record<Architecture, string>> = { amd64: 'x64', arm64: 'arm64' };

/**
 * Looks for what a rehearsal needs of this machine, before anything is made.
 * @throws Failure `rehearsal-unusable` with everything that is missing
 */
export async function findPrograms(
  architecture: Architecture,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  if (platform() !== 'linux') {
    throw new Failure(
      'rehearsal-unusable',
      `a node is rehearsed by systemd-nspawn, on Linux, and this is ${platform()}`,
    );
  }
  if (arch() !== archOf[architecture]) {
    throw new Failure(
      'rehearsal-unusable',
      `the nodes are ${architecture}, and this machine is ${arch()}; take one like them`,
    );
  }
  if (getuid?.() !== 0) throw new Failure('rehearsal-unusable', 'systemd-nspawn runs as root only; call bake by sudo');
  const missing: string[] = [];
  for (const [program, from] of Object.entries(programs)) {
    const asked = await execa(program, ['--version'], { env, extendEnv: false, reject: false, stdin: 'ignore' });
    if (asked.code === 'ENOENT') missing.push(`there is no ${program} on PATH; install ${from}`);
  }
  if (missing.length > 0) throw new Failure('rehearsal-unusable', missing.join('\n  '));
}
