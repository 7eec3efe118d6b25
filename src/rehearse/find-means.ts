import { arch, platform } from 'node:os';
import { getuid } from 'node:process';
import type { Architecture } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';
import { isOnPath, machineOf } from '../image/find-qemu.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What boots a node here. */
export type Means =
  | { readonly kind: 'container' }
  /** QEMU's program, and why no container can be had. */
  | { readonly kind: 'emulator'; readonly program: string; readonly why: string };

/** What rehearsal/boot and container.ts run, and Debian's package of each. */
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
 * Looks for what a rehearsal needs of this machine, before anything is made: systemd-nspawn, which is faster, or else QEMU.
 * @throws Failure `rehearsal-unusable` with everything that is missing for both
 */
export async function findMeans(architecture: Architecture, env: Environment): Promise<Means> {
  const missing = await missingForContainer(architecture, env);
  if (missing === undefined) return { kind: 'container' };
  const program = machineOf[architecture];
  if (await isOnPath(program, env)) return { kind: 'emulator', program, why: missing };
  const slower = `there is no ${program} on PATH, which boots a node more slowly, and without root; install QEMU`;
  throw new Failure('rehearsal-unusable', `${missing}\n  and ${slower}`);
}

/** Why systemd-nspawn cannot boot a node here; undefined when it can. */
async function missingForContainer(architecture: Architecture, env: Environment): Promise<string | undefined> {
  if (platform() !== 'linux') return `systemd-nspawn is of Linux, and this is ${platform()}`;
  if (arch() !== archOf[architecture]) return `the nodes are ${architecture}, and this machine is ${arch()}`;
  if (getuid?.() !== 0) return 'systemd-nspawn runs as root only';
  const missing: string[] = [];
  for (const [program, from] of Object.entries(programs)) {
    if (!(await isOnPath(program, env))) missing.push(`there is no ${program} on PATH; install ${from}`);
  }
  return missing.length > 0 ? missing.join('\n  ') : undefined;
}
