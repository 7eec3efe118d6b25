import { copyFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import type { Cluster } from '../cluster/cluster.ts';
import { firmwareCode } from '../image/find-qemu.ts';
import { Failure } from '../diagnostics/failure.ts';
import type { Machine } from './machine.ts';
import { diskFormat } from './disk-format.ts';
import { oneLine } from './one-line.ts';
import type { Stage } from './stage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the machine finds the stand-in: it alone is behind this link, whose MAC address rehearsal/guest knows. */
const standIn = { mac: '52:54:00:ba:6e:01', address: '169.254.77.100', port: 6443 };

/**
 * What cloud-init runs before anything of the node's, and leaves user-data as it is:
 * https://cloudinit.readthedocs.io/en/22.4/topics/vendordata.html
 */
const vendorData = `#cloud-config
bootcmd:
  - mkdir -p /run/rehearsal/seed
  - mount -o ro LABEL=cidata /run/rehearsal/seed
  - bash /run/rehearsal/seed/guest
`;

/** QEMU runs it for each connection to the stand-in: what comes in by its standard input goes there, and back. */
const forwarder = `
import { connect } from 'node:net';
const socket = connect(Number(process.argv[1]), '127.0.0.1');
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('close', () => process.exit());
socket.on('error', () => process.exit(1));`;

/**
 * Makes a machine of QEMU's, which needs neither Linux nor root: it boots when it is told to. It has the seed as a disk
 * (QEMU makes a file system of a folder), a link that leads nowhere for each of the node's, and one to the stand-in; what it
 * writes to its disk goes to a file that is gone with it. It answers over a port of its own. Its processor is emulated where
 * there is no acceleration, and where image.qemu.accelerator wants none.
 * @param scripts the package's folder rehearsal/
 * @param folder where the stage was written
 * @throws Failure `image-unreadable`
 */
export async function makeEmulator(
  { cluster, program, image }: { cluster: Cluster; program: string; image: string },
  { links }: Stage,
  { scripts, folder }: { scripts: string; folder: string },
  env: Environment,
): Promise<Machine> {
  const seed = join(folder, 'seed');
  copyFileSync(join(scripts, 'guest'), join(seed, 'guest'));
  writeFileSync(join(seed, 'vendor-data'), vendorData);
  const format = diskFormat(image);
  if (format === 'folder') throw new Failure('image-unreadable', `QEMU boots a disk image, and ${image} is a folder`);
  const disk = `file=${escaped(image)},format=${format},id=disk,if=none,snapshot=on`;
  const { accelerator, cpus, memoryMiB } = cluster.image.qemu;
  const isEmulated = ['tcg', 'none'].includes(accelerator);
  const model =
    cluster.architecture === 'amd64'
      ? ['-machine', 'pc', '-vga', 'std']
      : ['-machine', 'virt', '-cpu', 'max', '-bios', firmwareCode(env)];
  const argv = [
    ...[...model, '-smp', String(cpus), '-m', String(memoryMiB)],
    ...(isEmulated ? ['tcg'] : ['kvm', 'hvf', 'tcg']).flatMap((name) => ['-accel', name]),
    // After a reboot it would say that it is ready once more, where an answer is awaited.
    '-no-reboot',
    ...['-nodefaults', '-display', 'none', '-serial', 'null', '-device', 'virtio-rng-pci'],
    ...['-drive', disk, '-device', 'virtio-blk-pci,drive=disk,bootindex=0'],
    ...['-blockdev', `driver=vvfat,node-name=seed,dir=${escaped(seed)},label=cidata,fat-type=16,read-only=on`],
    ...['-device', 'virtio-blk-pci,drive=seed'],
    ...['-chardev', 'stdio,id=port,signal=off'],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=port,name=bake'],
    ...links.flatMap(({ mac }, index) => [
      ...['-netdev', `hubport,id=link${index},hubid=${index}`],
      ...['-device', `virtio-net-pci,netdev=link${index},mac=${mac}`],
    ]),
  ];
  const bound = await boundToUs(env);
  let forward = '';
  let machine: Running | undefined;
  return {
    async connect(server) {
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      const { port } = server.address() as AddressInfo;
      const words = [execPath, '--input-type=module', '--eval', forwarder, String(port)];
      forward = `tcp:${standIn.address}:${standIn.port}-cmd:${words.map(quoted).join(' ')}`;
      return () => {
        server.close();
        server.closeAllConnections();
      };
    },
    boot() {
      const network = [
        ...['-netdev', `user,id=bake,restrict=on,ipv6=off,net=169.254.77.0/24,guestfwd=${escaped(forward)}`],
        ...['-device', `virtio-net-pci,netdev=bake,mac=${standIn.mac}`],
      ];
      machine = start([...bound, program, ...argv, ...network], env);
    },
    run: (command) => machine?.run(command) ?? Promise.resolve(undefined),
    ended: () => machine?.ended(),
    end: async () => machine?.end(),
  };
}

type Running = Pick<Machine, 'run' | 'ended' | 'end'>;

/** What starts a program so that it ends with this process, also when that is killed; nothing where there is no such thing. */
async function boundToUs(env: Environment): Promise<string[]> {
  const words = ['setpriv', '--pdeathsig', 'KILL'];
  const options = { env, extendEnv: false, reject: false, stdin: 'ignore' } as const;
  // BusyBox has a setpriv that knows no --pdeathsig.
  const { exitCode } = await execa('setpriv', [...words.slice(1), execPath, '--version'], options);
  return exitCode === 0 ? words : [];
}

/** rehearsal/guest reads commands from the port, which is QEMU's standard input and output, and answers there. */
function start([program = '', ...argv]: readonly string[], env: Environment): Running {
  // The terminal's Ctrl-C is for bake alone, which ends the machine.
  const subprocess = execa(program, argv, { env, extendEnv: false, detached: true, reject: false, buffer: false });
  let said = '';
  let over = false;
  subprocess.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  // It is told of by ended().
  subprocess.stdin.on('error', () => undefined);
  void subprocess.then(() => (over = true));
  const lines = createInterface(subprocess.stdout)[Symbol.asyncIterator]();
  const nextLine = async () => ((await lines.next()) as { value?: string }).value;
  let ready = false;
  void nextLine().then((line) => (ready = line === 'ready'));
  return {
    async run(command) {
      if (!ready) return undefined;
      subprocess.stdin.write(`${Buffer.from(command).toString('base64')}\n`);
      const answer = await nextLine();
      if (answer === undefined) return undefined;
      const [exitCode, stdout = '', stderr = ''] = answer.split(' ');
      return { exitCode: Number(exitCode), stdout: decoded(stdout), stderr: decoded(stderr) };
    },
    ended: () => (over ? oneLine(said) || 'the node has rebooted, or turned itself off' : undefined),
    async end() {
      subprocess.kill('SIGKILL');
      await subprocess;
    },
  };
}

/** Without the newline at its end, as execa gives it. */
const decoded = (base64: string) => Buffer.from(base64, 'base64').toString().replace(/\n$/, '');
/** In a value of one of QEMU's options. */
const escaped = (value: string) => value.replaceAll(',', ',,');
/** For GLib's shell syntax, by which QEMU reads a command. */
const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
