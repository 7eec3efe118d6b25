import type { Server } from 'node:https';
import type { Endpoint } from '../cluster/cluster.ts';

/** A machine that boots an image, which is only read. */
export interface Machine {
  /** Has a server answer where the node will look for its apiservers. @returns what ends that */
  connect(server: Server, apiServers: readonly Endpoint[]): Promise<() => void>;
  boot(): void;
  /** Runs a command in it as root; undefined as long as it does not run. */
  run(
    command: string,
  ): Promise<{ readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string } | undefined>;
  /** What the program that boots it has said, when it has ended by itself. */
  ended(): string | undefined;
  /** Throws it away, running or not. */
  end(): Promise<void>;
}
