import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import type { Architecture } from '../../src/cluster/cluster.ts';
import type { CommandResult } from '../parts/parts.ts';
import { startAptRelay } from './apt-relay.ts';
import { writeImageArchive } from './image-archive.ts';
import { bakeImage, pauseImage, withMirror } from './image-command.ts';
import { makeIdentities } from './make-identities.ts';
import { mirrorUpstream } from './mirror-upstream.ts';
import { describeMachine } from './real-bake.ts';
import { bootDisk, cloneDisk, eventually, makeSeed, tools } from './virtual-machine.ts';

const main = join(import.meta.dirname, '../../dist/main.js');

/** Folders of the parts. */
interface Parts {
  readonly packer: string;
  readonly cloud: string;
  readonly machines: string;
  /** HOST/PATH of upstream's files, for the architecture. */
  readonly upstream: string;
  /** Where the architecture is that one. */
  readonly arm64?: string | undefined;
}

/** A folder in which `bake image` bakes disk images of an emulated machine. */
export interface DiskBake {
  readonly folder: string;
  /** A path in the folder. */
  at(name: string): string;
  /** Runs `bake image` on base.raw, on a description whose image has these qemu settings. */
  bake(settings: object, ...options: readonly string[]): ReturnType<typeof bakeImage>;
  /** Runs `bake rehearse` on what it has baked. */
  rehearse(...argv: readonly string[]): Promise<CommandResult>;
  /**
   * Boots a node from the image, and runs commands on it: all of it is up, and nothing of the build is left.
   * @param expect what more is expected; `says` fails when the command does
   */
  expectNode(image: string, expect: (says: (command: string) => Promise<string>) => Promise<void>): Promise<void>;
  end(): void;
}

/** Lays everything but base.raw. */
export async function startDiskBake(parts: Parts): Promise<DiskBake> {
  const folder = mkdtempSync(join(tmpdir(), 'bake-test-'));
  const at = (name: string): string => join(folder, name);
  const architecture: Architecture = parts.arm64 === undefined ? 'amd64' : 'arm64';
  const firmware = join(parts.arm64 ?? '', 'usr/share/AAVMF');
  const ofQemu = {
    MACHINES: parts.machines,
    ARM64: parts.arm64 ?? '',
    PKR_VAR_qemu_efi_firmware_code: join(firmware, 'AAVMF_CODE.fd'),
    PKR_VAR_qemu_efi_firmware_vars: join(firmware, 'AAVMF_VARS.fd'),
  };
  // A guest's 10.0.2.2 is this machine's loopback.
  const relay = await startAptRelay('127.0.0.1', '10.0.2.2');
  await makeIdentities(parts.cloud, at('identities'));
  copyFileSync(at('identities/ca.pem'), at('ca.pem'));
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', at('key')]);
  const publicKey = readFileSync(at('key.pub'), 'utf8').trim();
  await mirrorUpstream({ upstream: parts.upstream, packer: parts.packer }, at('mirror'));
  await writeImageArchive(at('pause.tar'), pauseImage, undefined, architecture);
  mkdirSync(at('tmp'));

  return {
    folder,
    at,
    bake(settings, ...options) {
      const image = {
        source: 'qemu',
        apt: { mirror: relay.archive, securityMirror: relay.security },
        qemu: {
          baseImage: { url: `file://${at('base.raw')}`, checksum: 'none' },
          diskSize: '5G',
          memoryMiB: 2048,
          cpus: 2,
          accelerator: 'tcg',
          ...settings,
        },
      };
      const machine = describeMachine(publicKey, image, { folder: parts.upstream, architecture });
      writeFileSync(at('cluster.yaml'), stringify(withMirror(machine, `file://${at('mirror')}`)));
      return bakeImage(folder, [parts.packer, tools], options, ofQemu);
    },
    async rehearse(...argv) {
      const env = { ...ofQemu, PATH: `${tools}:${process.env['PATH'] ?? ''}`, TMPDIR: at('tmp') };
      const options = { cwd: folder, env, all: true, reject: false } as const;
      const { exitCode, stdout, stderr, all } = await execa(options)`${process.execPath} ${main} rehearse ${argv}`;
      return { exitCode, stdout, stderr, all };
    },
    async expectNode(image, expect) {
      await cloneDisk(parts.machines, image, at('node.qcow2'), '6G');
      const files = ['user-data', 'meta-data'].map((file) => at(`out/nodes/node1/${file}`));
      await makeSeed(parts.machines, files, at('node.iso'));
      const node = await bootDisk({
        machines: parts.machines,
        disk: at('node.qcow2'),
        seed: at('node.iso'),
        key: at('key'),
        forward: 1,
        arm64: parts.arm64,
      });
      const says = async (command: string): Promise<string> => {
        const { exitCode, all } = await node.ssh(command);
        assert.equal(exitCode, 0, `${command}: ${all}\n${node.console()}`);
        return all;
      };
      try {
        await eventually('an SSH server that lets us in', 600, async () =>
          (await node.ssh('true')).exitCode === 0 ? true : undefined,
        ).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${node.console()}`);
        });
        await node.ssh('sudo -n systemctl is-system-running --wait');
        assert.equal(await says('systemctl list-units --state=failed --plain --no-legend'), '');
        assert.match(await says('cloud-init status'), /done/);
        assert.equal(
          await says('systemctl is-active kubelet.service containerd.service kube-nginx.service'),
          'active\nactive\nactive',
        );
        // The account of the build, its key and its rights are gone.
        assert.equal(await says('getent passwd bake || true'), '');
        assert.equal(
          await says("sudo -n grep -rl -e ' bake$' -e '^bake ' /etc/sudoers.d /root/.ssh /home 2>/dev/null || true"),
          '',
        );
        await expect(says);
      } finally {
        await node.end();
      }
    },
    end() {
      relay.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
