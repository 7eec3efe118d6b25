import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';

const runTool = join(import.meta.dirname, '../parts/run-tool');

/** Bridges that nobody on this machine reaches, and programs with addresses on them. */
export interface PrivateNetwork {
  /** Put before a command line, it runs there, and ends with this process, also when that is killed. */
  readonly enter: readonly [string, ...string[]];
  /** Connects an interface to a bridge. @param pid of a process in the network namespace that gets the interface */
  plug(pid: number, name: string, bridge: string): Promise<void>;
  /** Whatever still runs there keeps it; so end that first. */
  readonly end: () => Promise<void>;
}

/**
 * A network namespace with bridges.
 * @param machines the part of that name
 * @param bridges their names, and the addresses with prefix that programs there have
 */
export async function makePrivateNetwork(
  machines: string,
  bridges: Readonly<Record<string, readonly string[]>>,
): Promise<PrivateNetwork> {
  // --pdeathsig: a test that is killed leaves no network behind, and nothing that runs there.
  const withParent = ['setpriv', '--pdeathsig', 'KILL'] as const;
  const holder = execa({ reject: false })`${withParent} unshare --net sh -c ${'echo here; exec sleep infinity'}`;
  await once(holder.stdout, 'data');
  const enter = [...withParent, 'nsenter', `--target=${holder.pid ?? 0}`, '--net'] as const;
  const ip = (argv: readonly string[]) => execa`${enter} ${runTool} ${machines} bin/ip ${argv}`;

  await ip(['link', 'set', 'lo', 'up']);
  for (const [bridge, addresses] of Object.entries(bridges)) {
    await ip(['link', 'add', bridge, 'type', 'bridge']);
    for (const address of addresses) await ip(['address', 'add', address, 'dev', bridge]);
    await ip(['link', 'set', bridge, 'up']);
  }

  let plugs = 0;
  return {
    enter,
    async plug(pid, name, bridge) {
      const port = `port${plugs++}`;
      await ip(['link', 'add', port, 'type', 'veth', 'peer', 'name', name, 'netns', String(pid)]);
      await ip(['link', 'set', port, 'master', bridge, 'up']);
    },
    end: async () => {
      holder.kill('SIGKILL');
      await holder;
    },
  };
}
