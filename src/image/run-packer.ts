import { createWriteStream } from 'node:fs';
import { kill } from 'node:process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { parsePackerLine, type PackerEvent } from './packer-events.ts';

/** Packer removes machines and disks that it has begun; what takes longer than this is stuck. */
const CLEAN_UP_MS = 120_000;

export interface PackerRun {
  readonly args: readonly string[];
  /** Variables on top of the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Everything that Packer says is added to this file. */
  readonly log: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PackerEvent) => void;
}

/**
 * Runs Packer to its end. When the signal is aborted Packer is interrupted, and has time to clean up.
 * @returns its exit code
 * @throws the signal's abort
 */
export async function runPacker(run: PackerRun): Promise<number> {
  const { args, env, environment, cwd, log, signal, onEvent } = run;
  const file = createWriteStream(log, { flags: 'a', mode: 0o600 });
  // In a process group of its own: the terminal's Ctrl-C would reach Packer beside the signal that it gets from here,
  // and at the second signal Packer goes without cleaning up.
  const packer = execa('packer', ['-machine-readable', ...args], {
    cwd,
    env: { ...environment, ...env },
    extendEnv: false,
    detached: true,
    stdin: 'ignore',
    reject: false,
    buffer: false,
    all: true,
  });
  // To all of the group, as a terminal does it: Packer's first process leaves it to its second one to hear.
  const signalAll = (name: NodeJS.Signals): void => {
    if (packer.pid === undefined) return;
    try {
      kill(-packer.pid, name);
    } catch {
      // It is gone.
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    signalAll('SIGINT');
    timer = setTimeout(() => signalAll('SIGKILL'), CLEAN_UP_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });

  try {
    for await (const line of createInterface({ input: packer.all })) {
      const event = parsePackerLine(line);
      if (event === undefined) continue;
      if (event.kind !== 'artifact') file.write(`${event.kind === 'step' ? '==> ' : '    '}${event.text}\n`);
      onEvent(event);
    }
    const { exitCode } = await packer;
    signal.throwIfAborted();
    return exitCode ?? 1;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    await new Promise((resolve) => file.end(resolve));
  }
}
