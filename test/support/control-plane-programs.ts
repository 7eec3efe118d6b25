import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';

export type Flags = Readonly<Record<string, string | number | boolean>>;

/** Programs of a control plane, each with what it writes in NAME.log. */
export interface ControlPlanePrograms {
  /** @param program its name in the part control-plane-RELEASE @param name its own where several run of the program */
  start(program: string, flags: Flags, name?: string): void;
  /** Sends a signal to the one that was started last under a name. */
  signal(name: string, signal: NodeJS.Signals): void;
  /** Kills it, and waits until it is gone. */
  kill(name: string): Promise<void>;
  readonly end: () => Promise<void>;
}

/**
 * @param enter put before a command line, it runs where it should, and ends with this process, also when that is killed
 * @param part the folder of the part control-plane-RELEASE
 * @param logs a folder
 */
export function controlPlanePrograms(enter: readonly string[], part: string, logs: string): ControlPlanePrograms {
  const running: { name: string; kill(signal: NodeJS.Signals): boolean; finished: Promise<unknown> }[] = [];
  return {
    start(program, flags, name = program) {
      const stderr = { file: join(logs, `${name}.log`) };
      const options = { reject: false, buffer: false, stdin: 'ignore', stdout: 'ignore', stderr } as const;
      const argv = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
      const subprocess = execa(options)`${enter} ${join(part, program)} ${argv}`;
      running.push({ name, kill: (signal) => subprocess.kill(signal), finished: subprocess });
    },
    signal(name, signal) {
      running.findLast((program) => program.name === name)?.kill(signal);
    },
    async kill(name) {
      const last = running.findLast((program) => program.name === name);
      last?.kill('SIGKILL');
      await last?.finished;
    },
    end: async () => {
      for (const program of running) program.kill('SIGKILL');
      await Promise.all(running.map(({ finished }) => finished));
    },
  };
}

/**
 * Waits until an apiserver says that it is healthy.
 * @param ask gives its answer, or why there is none
 * @param log what it has written so far
 */
export async function untilHealthy(ask: () => Promise<unknown>, log: () => string): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const answer = await ask();
    if (answer === 'ok') return;
    if (Date.now() > deadline) {
      throw new Error(`no healthy apiserver after 2 minutes: ${String(answer)}\n${log().slice(-3000)}`);
    }
    await setTimeout(500);
  }
}
