import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { newCgroupName, removeCgroups } from '../edges/cgroups.ts';
import { Failure } from '../diagnostics/failure.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import { listenIn } from './listen-in.ts';
import type { Machine } from './machine.ts';
import { oneLine } from './one-line.ts';

/**
 * What no namespace keeps apart from this machine: to load modules, boot another kernel, set the clock, reach the ports of
 * devices. The node may do all else, and nothing that runs in it may do more:
 * https://man7.org/linux/man-pages/man7/capabilities.7.html
 */
const dropped = ['sys_module', 'sys_boot', 'sys_time', 'sys_rawio'];

/** How long it may take to mount an image: a file system that was not unmounted has a journal to be replayed first. */
const MOUNT_MS = 60_000;
/** How long what was killed may take; a mount that hangs in the kernel is not, and would keep its pipes open. */
const DYING_MS = 1000;

/**
 * Makes a container of systemd-nspawn's, its network and nothing more: it boots when it is told to. All that it has lives in
 * namespaces that end with this process, also when that is killed; what it writes is memory.
 * @param scripts the package's folder rehearsal/
 * @param stage what rehearsal/boot wants to find there
 * @param image a root file system, or a raw disk
 * @param mountMs other than usual where a test has no time
 * @throws Failure `image-not-baked`, `image-unreadable`, `rehearsal-unusable`; the reason of the signal
 */
export async function makeContainer(
  scripts: string,
  stage: string,
  image: string,
  containerd: string,
  { env, signal }: Pick<Surroundings, 'env' | 'signal'>,
  mountMs = MOUNT_MS,
): Promise<Machine> {
  const cgroup = newCgroupName();
  const namespaces = ['--mount', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
  const capabilities = dropped.map((name) => `CAP_${name.toUpperCase()}`).join();
  const boot = [join(scripts, 'boot'), stage, image, cgroup, containerd, capabilities];
  const subprocess = execa(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...namespaces, ...boot],
    // The terminal's Ctrl-C is for bake alone, which ends the machine.
    { env, extendEnv: false, detached: true, reject: false, buffer: false },
  );
  let said = '';
  let over = false;
  subprocess.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  void subprocess.then(() => (over = true));
  const end = async (): Promise<void> => {
    subprocess.kill('SIGKILL');
    const isOver = await Promise.race([subprocess.then(() => true), setTimeout(DYING_MS, false, { ref: false })]);
    if (!isOver) for (const pipe of [subprocess.stdout, subprocess.stderr]) pipe.destroy();
    await subprocess;
    await removeCgroups(cgroup);
  };

  const timeIsUp = AbortSignal.timeout(mountMs);
  const lines = createInterface({ input: subprocess.stdout, signal: AbortSignal.any([signal, timeIsUp]) });
  const { value } = (await lines[Symbol.asyncIterator]().next()) as { value?: string };
  if (value !== 'ready') {
    await end();
    signal.throwIfAborted();
    if (timeIsUp.aborted) {
      const fact = `${image} is not mounted after ${mountMs / 1000} s`;
      throw new Failure('image-unreadable', `${fact}; is its disk, or its server, there?`);
    }
    throw whyNot(value, image, oneLine(said));
  }
  lines.close();
  subprocess.stdout.resume();
  const [holder = 0] = childrenOf(subprocess.pid ?? 0);
  return {
    async connect(server, apiServers) {
      const listeners = await listenIn(holder, apiServers, env);
      for (const listener of listeners) listener.on('connection', (socket) => server.emit('connection', socket));
      return () => {
        for (const listener of listeners) listener.close();
        server.closeAllConnections();
      };
    },
    boot: () => void subprocess.stdin.write('boot\n'),
    run: (command) => runIn(holder, command, env),
    ended: () => (over ? oneLine(said) : undefined),
    end,
  };
}

/** @param said by the programs that were to make it */
function whyNot(outcome: string | undefined, image: string, said: string): Failure {
  switch (outcome) {
    case 'not baked':
      return new Failure(
        'image-not-baked',
        `${image} has no /etc/bake-release; name an image that \`bake image\` has made`,
      );
    case 'unreadable':
      return new Failure('image-unreadable', `${image} has no root file system that can be mounted: ${said}`);
    default:
      return new Failure('rehearsal-unusable', `this machine makes no container: ${said}`);
  }
}

/** @returns of a process, in the order in which they were started */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    // It is gone.
    return undefined;
  }
}

/** The programs of a node are its own: none of them is to do here what the node itself may not. */
const bounds = [`--bounding-set=${dropped.map((name) => `-${name}`).join()}`];
const environment = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'];

async function runIn(holder: number, command: string, env: Readonly<Record<string, string | undefined>>) {
  // systemd-nspawn has become the holder, and starts PID 1.
  const init = childrenOf(holder).find((pid) => nameOf(pid) === 'systemd');
  if (init === undefined) return undefined;
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root'];
  const clean = ['env', '--ignore-environment', '--chdir=/', ...environment];
  const { exitCode, stdout, stderr } = await execa(
    'setpriv',
    [...bounds, 'nsenter', `--target=${init}`, ...namespaces, ...clean, 'bash', '-c', command],
    { env, extendEnv: false, reject: false, stdin: 'ignore' },
  );
  return { exitCode, stdout, stderr };
}
