import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import type { CommandResult } from '../parts/parts.ts';
import { freePort } from './free-port.ts';

const parts = join(import.meta.dirname, '../parts');

/** A folder for PATH with QEMU's programs and xorriso; they read MACHINES, the folder of that part. */
export const tools = join(parts, 'tools');

/**
 * A machine of QEMU's. Its network is QEMU's: an SSH port here leads into it, one address there leads to a port here, and
 * nothing else leads out of it, unless a clock of its own lets it ask this machine for the time.
 */
export interface VirtualMachine {
  /** What it has said on its serial console so far. */
  console(): string;
  /** Runs a command in it over SSH, as the user debian; exit code 255 is SSH's own failure. */
  ssh(command: string): Promise<CommandResult>;
  /** Presses its power button and waits until it is off. */
  powerOff(): Promise<void>;
  /** Pulls the plug. */
  end(): Promise<void>;
}

/** Makes the disk of a root file system; a file in qcow2 over it is a clone. */
export async function makeDisk(machines: string, root: string, image: string, mib: number): Promise<void> {
  const { exitCode, all } = await execa(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', '--mount', join(parts, 'make-disk'), machines, root, image, String(mib)],
    { all: true, reject: false },
  );
  if (exitCode !== 0) throw new Error(`the disk was not made\n${all}`);
}

/** A disk of a size of its own that begins as the image is; the image must not change any more. */
export async function cloneDisk(machines: string, image: string, clone: string, size: string): Promise<void> {
  const format = image.slice(image.lastIndexOf('.') + 1);
  await execa(join(tools, 'qemu-img'), ['create', '-q', '-f', 'qcow2', '-F', format, '-b', image, clone, size], {
    env: { MACHINES: machines },
  });
}

/** The second disk that cloud-init reads. */
export async function makeSeed(machines: string, files: readonly string[], image: string): Promise<void> {
  const mkisofs = ['-as', 'mkisofs', '-quiet', '-joliet', '-rational-rock', '-volid', 'cidata', '-output', image];
  await execa(join(tools, 'xorriso'), [...mkisofs, ...files], { env: { MACHINES: machines } });
}

/**
 * Boots a disk on a processor that QEMU emulates.
 * @param forward what the address 10.0.2.100:6443 leads to: a port of this machine
 * @param clock what its own shows when it starts; the time of this machine, otherwise
 * @param arm64 the folder of that part: a machine of that architecture, which boots by UEFI
 */
export async function bootDisk(options: {
  readonly machines: string;
  readonly disk: string;
  readonly seed?: string;
  readonly key: string;
  readonly forward: number;
  readonly clock?: Date;
  readonly arm64?: string | undefined;
}): Promise<VirtualMachine> {
  const { machines, disk, seed, key, forward, clock, arm64 } = options;
  const { args, seedDrive } = arm64 === undefined ? personalComputer : await virtMachine(arm64, disk);
  const port = await freePort();
  const [serial, monitor] = [`${disk}.console`, `${disk}.monitor`];
  const socat = `${join(parts, 'run-tool')} ${machines} usr/bin/socat - TCP:127.0.0.1:${forward}`;
  const network = `user,id=net,restrict=${clock === undefined ? 'on' : 'off'},hostfwd=tcp:127.0.0.1:${port}-:22,guestfwd=tcp:10.0.2.100:6443-cmd:${socat}`;
  const subprocess = execa(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', ...args],
      ...['-accel', 'tcg', '-smp', '1', '-m', '1024', '-display', 'none'],
      ...['-drive', `file=${disk},if=virtio,format=qcow2,discard=unmap`],
      ...(clock === undefined ? [] : ['-rtc', `base=${clock.toISOString().slice(0, 19)}`]),
      ...(seed === undefined ? [] : ['-drive', `file=${seed},${seedDrive},readonly=on`]),
      ...['-netdev', network, '-device', 'virtio-net-pci,netdev=net'],
      ...['-serial', `file:${serial}`, '-qmp', `unix:${monitor},server=on,wait=off`],
    ],
    { env: { MACHINES: machines, ARM64: arm64 }, all: true, reject: false },
  );
  let ended: string | undefined;
  void subprocess.then(({ all }) => (ended = all));

  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
  return {
    console: () => readFileSync(serial, 'utf8'),
    async ssh(command) {
      if (ended !== undefined) throw new Error(`QEMU has ended: ${ended}`);
      const { exitCode, stdout, stderr, all } = await execa(
        'ssh',
        [
          ...known,
          '-o',
          'BatchMode=yes',
          '-o',
          'ConnectTimeout=10',
          '-i',
          key,
          '-p',
          String(port),
          'debian@127.0.0.1',
          command,
        ],
        { all: true, reject: false, stdin: 'ignore' },
      );
      return { exitCode, stdout, stderr, all };
    },
    async powerOff() {
      const socket = connect(monitor);
      socket.write('{"execute":"qmp_capabilities"}{"execute":"system_powerdown"}');
      await subprocess;
      socket.destroy();
    },
    async end() {
      subprocess.kill('SIGKILL');
      await subprocess;
    },
  };
}

interface Machine {
  readonly args: readonly string[];
  readonly seedDrive: string;
}

const personalComputer: Machine = {
  args: [join(tools, 'qemu-system-x86_64'), '-machine', 'pc'],
  seedDrive: 'if=ide,media=cdrom',
};

/** The firmware's variables lie beside the disk. */
async function virtMachine(arm64: string, disk: string): Promise<Machine> {
  const firmware = join(arm64, 'usr/share/AAVMF');
  await copyFile(join(firmware, 'AAVMF_VARS.fd'), `${disk}.vars`);
  return {
    args: [
      ...[join(tools, 'qemu-system-aarch64'), '-machine', 'virt', '-cpu', 'cortex-a72'],
      ...['-drive', `file=${join(firmware, 'AAVMF_CODE.fd')},if=pflash,format=raw,readonly=on`],
      ...['-drive', `file=${disk}.vars,if=pflash,format=raw`],
    ],
    seedDrive: 'if=virtio,format=raw',
  };
}

/**
 * A real time server on this machine, which a guest whose clock is its own finds at 10.0.2.2.
 * @param folder for what it writes
 */
export function startTimeServer(machines: string, folder: string): { end(): Promise<void> } {
  const directives = [
    'local stratum 1',
    'bindaddress 127.0.0.1',
    'allow 127.0.0.1',
    'cmdport 0',
    'bindcmdaddress /',
    `pidfile ${join(folder, 'chronyd.pid')}`,
    'user root',
  ];
  // -x: this machine's own clock is left alone.
  const chronyd = [machines, 'usr/sbin/chronyd', '-x', '-d', '-F', '0', ...directives];
  const subprocess = execa('setpriv', ['--pdeathsig', 'KILL', join(parts, 'run-tool'), ...chronyd], {
    all: true,
    reject: false,
  });
  return {
    async end() {
      subprocess.kill('SIGKILL');
      const { isTerminated, all } = await subprocess;
      if (!isTerminated) throw new Error(`the time server has ended: ${all}`);
    },
  };
}

/** Asks again and again until the answer is not undefined; an emulated machine takes its time. */
export async function eventually<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await setTimeout(1000);
  }
  throw new Error(`after ${seconds} seconds, still not: ${what}`);
}
