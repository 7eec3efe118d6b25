import { closeSync, openSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { kill } from 'node:process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { onDisk, type DiskTrouble } from '../edges/on-disk.ts';
import { parsePackerLine, type PackerEvent } from './packer-events.ts';

/** Packer removes machines and disks that it has begun; what takes longer than this is stuck. */
const CLEAN_UP_MS = 120_000;

/**
 * QEMU pauses a machine whose disk image cannot grow, and Packer would wait for it for ever: `werror=enospc` in
 * https://www.qemu.org/docs/master/system/qemu-manpage.html
 */
const LEAST_FREE_BYTES = 1024 * 1024;
const LOOK_MS = 1000;

export interface PackerRun {
  readonly args: readonly string[];
  /** Variables on top of the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Everything that Packer says is added to this file, which is on the disk that the image is made on. */
  readonly log: string;
  /** Of that disk. */
  readonly trouble: DiskTrouble;
  readonly signal: AbortSignal;
  readonly onEvent: (event: PackerEvent) => void;
}

/**
 * Runs Packer to its end. When the signal is aborted, or the disk is full, Packer is interrupted, and has time to clean up.
 * @returns its exit code
 * @throws the signal's abort, or Failure of the disk
 */
export async function runPacker(run: PackerRun): Promise<number> {
  const { args, env, environment, cwd, log, trouble, signal, onEvent } = run;
  const file = openSync(log, 'a', 0o600);
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
  const disk = new AbortController();
  const stopped = AbortSignal.any([signal, disk.signal]);
  if (stopped.aborted) stop();
  else stopped.addEventListener('abort', stop, { once: true });
  const tryDisk = (step: () => void): void => {
    try {
      onDisk(trouble, step);
    } catch (error) {
      disk.abort(error);
    }
  };
  const looking = setInterval(() => tryDisk(() => refuseFullDisk(dirname(log))), LOOK_MS);

  try {
    for await (const line of createInterface({ input: packer.all })) {
      const event = parsePackerLine(line);
      if (event === undefined) continue;
      if (event.kind !== 'artifact') {
        tryDisk(() => writeSync(file, `${event.kind === 'step' ? '==> ' : '    '}${event.text}\n`));
      }
      onEvent(event);
    }
    const { exitCode } = await packer;
    stopped.throwIfAborted();
    return exitCode ?? 1;
  } finally {
    clearInterval(looking);
    clearTimeout(timer);
    stopped.removeEventListener('abort', stop);
    closeSync(file);
  }
}

function refuseFullDisk(folder: string): void {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= LEAST_FREE_BYTES) return;
  throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
}
