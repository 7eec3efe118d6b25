import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { missingForBake, startRealBake, type RealBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import {
  bootDisk,
  cloneDisk,
  eventually,
  makeDisk,
  makeSeed,
  startTimeServer,
  tools,
  type VirtualMachine,
} from '../support/virtual-machine.ts';

// What Packer has baked becomes a disk, and three clones of it boot in QEMU, by their own GRUB and kernel: two nodes, and
// one machine without any user-data. Where they look for the apiserver a server of ours stands in, which logs what it is
// asked; kubelet gets no further than its request for a certificate.
const boot = suite('qemu-boot');

/** Above this, what is measured is the machine that runs the tests and no longer the image. */
const patience = 400;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}
/** By the machine's name. */
const asked: Record<string, Asked[]> = {};

let bake: RealBake;
const main = join(import.meta.dirname, '../../dist/main.js');
const started: VirtualMachine[] = [];
let node: VirtualMachine;
let clone: VirtualMachine;
let blank: VirtualMachine;
const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(0)} s`;

boot.before(async () => {
  if (missingForBake !== undefined) return;
  await startAll().catch((error: unknown) => {
    // uvu says nothing of it.
    console.log(error);
    throw error;
  });
});

async function startAll(): Promise<void> {
  bake = await startRealBake();
  await bake.compile({ sysprep: true, ntpServers: ['10.0.2.2'], qemu: { accelerator: 'tcg' } });
  const { exitCode, all } = await bake.build();
  assert.equal(exitCode, 0, all);
  await bake.node.stop();

  const making = performance.now();
  const at = (name: string) => join(bake.folder, name);
  await makeDisk(bake.machines, bake.node.root, at('disk.raw'), 3072);
  console.log(`  disk made in ${seconds(making)}`);

  const start = async (name: string, hours?: number): Promise<VirtualMachine> => {
    await cloneDisk(bake.machines, at('disk.raw'), at(`${name}.qcow2`), '6G');
    const options = { machines: bake.machines, disk: at(`${name}.qcow2`), key: bake.key, forward: await standIn(name) };
    if (hours === undefined) return bootDisk(options);
    const clock = new Date(Date.now() + hours * 3_600_000);
    // Both are node1: what differs between them must not come from their seeds.
    const files = ['user-data', 'meta-data'].map((file) => join(bake.out, 'nodes/node1', file));
    await makeSeed(bake.machines, files, at(`${name}.iso`));
    return bootDisk({ ...options, seed: at(`${name}.iso`), clock });
  };
  started.push((node = await start('node', -1)));
  started.push((clone = await start('clone', 1)));
  started.push((blank = await start('blank')));
}

/** @returns the port of a server that notes what is asked of it, and is never ready */
async function standIn(name: string): Promise<number> {
  const identity = {
    cert: readFileSync(join(bake.identities, 'server-new.pem')),
    key: readFileSync(join(bake.identities, 'server-new.key')),
  };
  const noted: Asked[] = (asked[name] = []);
  const server = createServer(identity, (request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      noted.push({ method, path, authorization: headers.authorization ?? '', body });
      response.writeHead(503).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

boot.after(async () => {
  await Promise.all(started.map((machine) => machine.end()));
  if (missingForBake === undefined) await bake.end();
});

async function says(machine: VirtualMachine, command: string): Promise<string> {
  const { exitCode, all } = await machine.ssh(command);
  assert.equal(exitCode, 0, `${command}: ${all}`);
  return all;
}

/** Waits until cloud-init is done, and all that boots with it. */
async function untilBooted(machine: VirtualMachine): Promise<void> {
  const from = performance.now();
  await eventually('an SSH server that lets us in', patience, async () => {
    const { exitCode } = await machine.ssh('true');
    return exitCode === 0 ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${machine.console()}`);
  });
  await machine.ssh('sudo -n systemctl is-system-running --wait');
  console.log(`  up after ${seconds(from)} more`);
}

testUnless(
  boot,
  missingForBake,
  'a node: modules, sysctls, cgroups and swap are as described; no unit fails',
  async () => {
    await untilBooted(node);
    assert.equal(await says(node, 'systemctl list-units --state=failed --plain --no-legend'), '');
    assert.match(await says(node, 'cloud-init status'), /done/);
    assert.equal(await says(node, 'hostname'), 'node1');

    const modules = await says(node, 'cat /proc/modules');
    for (const name of ['overlay', 'br_netfilter', 'nf_conntrack']) assert.match(modules, new RegExp(`^${name} `, 'm'));

    const rootfs = join(bake.out, 'packer/rootfs/etc/sysctl.d');
    const lines = ['kubernetes.conf', 'kube-nginx.conf'].flatMap((file) =>
      [...readFileSync(join(rootfs, file), 'utf8').matchAll(/^([a-z][^=\s]*)=(\S+)$/gm)].map(([line]) => line),
    );
    assert.ok(lines.length > 15, lines.join());
    const names = lines.map((line) => line.split('=')[0]);
    const values = await says(node, `sudo -n sysctl ${names.join(' ')}`);
    assert.deepEqual(
      values.split('\n').map((line) => line.replace(' = ', '=')),
      lines,
    );

    assert.match(await says(node, 'cat /proc/cmdline'), /systemd\.unified_cgroup_hierarchy=0/);
    assert.equal(await says(node, 'stat -fc %T /sys/fs/cgroup /sys/fs/cgroup/memory'), 'tmpfs\ncgroupfs');

    // There is a swap partition, of the type that systemd turns on by itself.
    assert.match(await says(node, 'sudo -n blkid /dev/vda15'), /TYPE="swap"/);
    assert.equal(await says(node, 'tail -n +2 /proc/swaps'), '');
  },
);

testUnless(boot, missingForBake, 'its logs are rotated and capped, its clock is kept', async () => {
  const log = '/opt/k8s/kube-nginx/logs/error.log';
  await says(node, `echo line | sudo -n tee -a ${log}; sudo -n logrotate --force /etc/logrotate.d/kube-nginx`);
  const open = 'readlink /proc/$(systemctl show -p MainPID --value kube-nginx.service)/fd/* | grep error | sort -u';
  await eventually('kube-nginx to write to its new log', 30, async () =>
    (await says(node, `sudo -n sh -c '${open}'`)) === log ? true : undefined,
  );
  assert.equal(await says(node, `sudo -n cat ${log}.1 | tail -n 1`), 'line');
  assert.match(await says(node, 'journalctl --unit systemd-journald --output cat'), /System Journal .* max 1\.0G/);
  assert.equal(await says(node, 'timedatectl show --property NTP --value'), 'yes');
});

testUnless(boot, missingForBake, 'its root grows to the size of its disk', async () => {
  const [size = 0, free = 0] = (await says(node, 'df --output=size,avail --block-size=1M / | tail -n 1'))
    .trim()
    .split(/ +/)
    .map(Number);
  assert.ok(size > 5500, `${size} MiB`);
  assert.ok(free > 3000, `${free} MiB`);
});

/** Whole hours by which a machine's clock is wrong. */
async function hoursOff(machine: VirtualMachine): Promise<number> {
  return Math.round((Number(await says(machine, 'date +%s')) * 1000 - Date.now()) / 3_600_000);
}

function requestOf(name: string): Promise<Asked> {
  return eventually('a request for a certificate', patience, () =>
    asked[name]?.find(({ method, path }) => method === 'POST' && path.endsWith('/certificatesigningrequests')),
  );
}

testUnless(boot, missingForBake, 'a clock an hour ahead: kubelet asks for its certificate all the same', async () => {
  await untilBooted(clone);
  assert.equal(await hoursOff(clone), 1);
  await requestOf('clone');
});

testUnless(
  boot,
  missingForBake,
  'a clock an hour behind: bake-check says so; set by a time server, kubelet asks',
  async () => {
    assert.equal(await hoursOff(node), -1);
    assert.equal(asked['node']?.length, 0);
    const { all } = await node.ssh('sudo -n /opt/k8s/bin/bake-check --quiet');
    assert.match(all, /^clock-behind: the apiserver's certificate is valid from .* set the clock/);

    const from = performance.now();
    const server = startTimeServer(bake.machines, bake.folder);
    try {
      await eventually('the right time', patience, async () => ((await hoursOff(node)) === 0 ? true : undefined));
      console.log(`  clock set after ${seconds(from)}`);
      await requestOf('node');
      console.log(`  certificate asked for after ${seconds(from)}`);
    } finally {
      await server.end();
    }
  },
);

testUnless(boot, missingForBake, 'kubelet sends the request for its certificate through kube-nginx', async () => {
  const posted = await requestOf('node');
  assert.match(posted.authorization, /^Bearer [a-z0-9]{6}\.[a-z0-9]{16}$/);
  // Protobuf, with the request as PEM in it.
  assert.match(posted.body, /client auth/);
  const [, base64 = ''] = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)/.exec(posted.body) ?? [];
  assert.match(Buffer.from(base64, 'base64').toString('latin1'), /system:nodes.*system:node:node1/s);
  assert.equal(
    await says(node, 'systemctl is-active kubelet.service containerd.service kube-nginx.service'),
    'active\nactive\nactive',
  );
});

testUnless(boot, missingForBake, 'two clones have machine-ids and host keys of their own', async () => {
  const identity =
    'cat /etc/machine-id; cat /var/lib/dbus/machine-id; cat /etc/ssh/ssh_host_*_key.pub | cut -d " " -f 2';
  const [one, other] = [await says(node, identity), await says(clone, identity)].map((text) => text.split('\n'));
  assert.ok(one !== undefined && other !== undefined && one.length >= 5, one?.join());
  assert.equal(one[0], one[1]);
  for (const [index, line] of one.entries()) {
    assert.ok(line.length >= 32, line);
    assert.notEqual(line, other[index]);
  }
});

testUnless(boot, missingForBake, 'without a datasource no unit fails, and it waits quietly', async () => {
  await eventually('a login prompt', patience, () => (/ login: $/.test(blank.console()) ? true : undefined)).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${blank.console()}`);
    },
  );
  // What starts late has time to fail.
  await setTimeout(20_000);
  assert.ok(!/FAILED|Failed/.test(blank.console()), blank.console());
  await blank.powerOff();
});

interface Told {
  readonly seconds: number;
  readonly stages: readonly { readonly stage: string; readonly result: string; readonly what: string }[];
}

/** Before a command: a user that is not root, and that root's files belong to, among which all this lies. */
const asUser = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];

testUnless(
  boot,
  missingForBake,
  'bake rehearse boots the disk by QEMU for who is not root: the node would join',
  async () => {
    await Promise.all(started.map((machine) => machine.end()));
    const disk = join(bake.folder, 'disk.raw');
    const before = statSync(disk).mtimeMs;
    const own = join(bake.folder, 'own');
    mkdirSync(own);
    const { exitCode, stdout, stderr } = await execa({
      cwd: bake.folder,
      env: { PATH: `${tools}:/usr/bin`, MACHINES: bake.machines, TMPDIR: own },
      extendEnv: false,
      reject: false,
    })`${asUser} ${process.execPath} ${main} rehearse node1 --image ${disk} --output json`;
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stderr, / as node1 by QEMU \(systemd-nspawn runs as root only\), /);
    const { seconds: took, stages } = JSON.parse(stdout) as Told;
    console.log(`  joined ${took.toFixed(0)} s after the start of the machine`);
    assert.deepEqual([...new Set(stages.map(({ result }) => result))], ['ok'], stdout);
    assert.ok(
      stages.some(({ what }) => what.includes('serving certificate as system:node:node1')),
      stdout,
    );
    assert.equal(statSync(disk).mtimeMs, before);
    assert.deepEqual(readdirSync(own), []);
  },
);

boot.run();
