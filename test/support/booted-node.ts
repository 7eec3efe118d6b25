import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import type { CommandResult } from '../parts/parts.ts';
import { newCgroupName, removeCgroups } from '../../src/edges/cgroups.ts';

/** A Debian that systemd-nspawn has booted: systemd is PID 1, cloud-init has run, an SSH server answers. */
export interface BootedNode {
  /** Its root file system as this process can read it, also while it is stopped. */
  readonly root: string;
  /** A process in its network namespace, also while it is stopped. */
  readonly holder: number;
  /** Runs a command in it as root, past SSH: also where nobody can log in any more. */
  run(command: string): Promise<CommandResult>;
  stop(): Promise<void>;
  /** Boots it again after stop(), with what is on its disk by now. */
  start(): Promise<void>;
  /** Copies what it has written since it was first booted, for other nodes to start from; it must be stopped. */
  keepLayer(folder: string): Promise<void>;
  /** Throws it away, running or not. */
  readonly end: () => Promise<void>;
}

/** Files of a NoCloud seed. */
export interface Seed {
  readonly 'meta-data': string;
  readonly 'user-data': string;
  readonly 'network-config': string;
}

/**
 * Boots a root file system in a layer over it that is thrown away: neither it nor this machine is written to. All that it
 * has (its layer, its interfaces, its processes) lives in namespaces that end with the test, also when that is killed.
 *
 * /proc/sys is read-only to it, but for the network and for what has a stand-in (rehearsal/init): those settings are
 * this machine's too.
 * @param system `machines` is the part of that name, `layer` what another node of the same root has kept
 * @param prepare has the process that holds its network namespace, and its root: connects it, and changes files there
 */
export async function bootNode(
  system: { readonly machines: string; readonly root: string; readonly layer?: string },
  seed: Seed,
  prepare: (pid: number, root: string) => Promise<void>,
): Promise<BootedNode> {
  const cgroup = newCgroupName();
  // --pdeathsig: not even a test that is killed leaves a node behind.
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
  const layers = [system.root, ...(system.layer === undefined ? [] : [system.layer])];
  const subprocess = execa(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...namespaces, join(parts, 'boot-node'), system.machines, cgroup, ...layers],
    { reject: false, buffer: false },
  );
  let console = '';
  subprocess.stderr.on('data', (bytes: Buffer) => (console += bytes.toString()));
  const lines = createInterface(subprocess.stdout)[Symbol.asyncIterator]();
  const says = async (word: string): Promise<string> => {
    const { value } = (await lines.next()) as { value: string | undefined };
    if (value?.startsWith(`${word} `) !== true) throw new Error(`instead of ${word}: ${value ?? ''}\n${console}`);
    return value.slice(word.length + 1);
  };
  const layer = await says('layer');
  const [holder = 0] = childrenOf(subprocess.pid ?? 0);
  const folder = join(`/proc/${holder}/root`, layer);
  await prepare(holder, join(folder, 'merged'));

  const run = (command: string) => runIn(initOf(holder), command);
  const node: BootedNode = {
    root: join(folder, 'merged'),
    holder,
    run,
    async start() {
      subprocess.stdin.write('boot\n');
      await booted(run, () => initOf(holder) !== undefined);
    },
    async stop() {
      await run('systemctl poweroff');
      const status = await says('stopped');
      if (status !== '0') throw new Error(`systemd-nspawn ended with ${status}\n${console}`);
    },
    async keepLayer(to) {
      await execa('cp', ['--archive', join(folder, 'upper'), to]);
    },
    end: async () => {
      subprocess.kill('SIGKILL');
      await subprocess;
      await removeCgroups(cgroup);
    },
  };
  writeFiles(join(node.root, 'var/lib/cloud/seed/nocloud'), { ...seed });
  await node.start();
  return node;
}

const parts = join(import.meta.dirname, '../parts');

/** @returns of a process, in the order in which they were started */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
}

/** The node's PID 1, which systemd-nspawn has started; undefined until it has. */
function initOf(holder: number): number | undefined {
  const [nspawn = 0] = childrenOf(holder);
  return childrenOf(nspawn).find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'systemd\n');
}

async function runIn(init: number | undefined, command: string): Promise<CommandResult> {
  if (init === undefined) throw new Error(`the node does not run: ${command}`);
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root'];
  const { exitCode, stdout, stderr, all } = await execa(
    'nsenter',
    [
      `--target=${init}`,
      ...namespaces,
      'env',
      '--ignore-environment',
      '--chdir=/',
      ...environment,
      'bash',
      '-c',
      command,
    ],
    { all: true, reject: false, stdin: 'ignore' },
  );
  return { exitCode, stdout, stderr, all };
}

const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];

/** Waits until everything that a boot starts has been started, well or not. */
async function booted(run: BootedNode['run'], runs: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    if (runs()) {
      // It fails where systemd does not listen yet.
      const { stdout } = await run('timeout 120 systemctl is-system-running --wait');
      if (/^(running|degraded)$/.test(stdout)) return;
    }
    await setTimeout(200);
  }
  throw new Error('the node has not booted within 2 minutes');
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
