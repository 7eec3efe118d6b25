import { randomInt } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

const runTool = join(import.meta.dirname, '../parts/run-tool');

/** Two ends of a cable: a node's interface host0, and one of this machine. */
export interface Link {
  /** The node's. */
  readonly address: string;
  /** This machine's. */
  readonly gateway: string;
  readonly networkConfig: string;
  /** @param pid of a process in the network namespace that becomes the node's */
  readonly plug: (pid: number) => Promise<void>;
}

/** A link over which a node reaches this machine, and nothing else. */
export function linkToThisMachine(machines: string): Link {
  const { name, gateway, address } = freeLink();
  return {
    address,
    gateway,
    networkConfig: `version: 2\nethernets:\n  host0:\n    addresses: [${address}/30]\n`,
    plug: async (pid) => {
      const ip = (argv: readonly string[]) => execa(runTool, [machines, 'bin/ip', ...argv]);
      await ip(['link', 'add', name, 'type', 'veth', 'peer', 'name', 'host0', 'netns', String(pid)]);
      await ip(['address', 'add', `${gateway}/30`, 'dev', name]);
      await ip(['link', 'set', name, 'up']);
    },
  };
}

/** Two addresses of 198.18.0.0/15, which RFC 2544 sets aside for tests, that nothing on this machine has. */
function freeLink(): { name: string; gateway: string; address: string } {
  const taken = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
  for (;;) {
    const number = randomInt(0, 2 ** 15);
    const prefix = `198.${18 + (number >> 14)}.${(number >> 6) & 255}`;
    const first = (number & 63) * 4;
    const gateway = `${prefix}.${first + 1}`;
    if (!taken.includes(gateway)) return { name: `bake${number}`, gateway, address: `${prefix}.${first + 2}` };
  }
}
