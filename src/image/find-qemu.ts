import { accessSync, constants, existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { execa } from 'execa';
import type { Architecture, Cluster } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What boots a machine of an architecture. */
export const machineOf = { amd64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' } as const;

/** As Node calls them -> as Kubernetes does. */
const architectures: Partial<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' };

/** Variables of packer/variables-qemu.pkr.hcl as Packer finds them in its environment -> their defaults. */
const firmware = {
  PKR_VAR_qemu_efi_firmware_code: '/usr/share/AAVMF/AAVMF_CODE.fd',
  PKR_VAR_qemu_efi_firmware_vars: '/usr/share/AAVMF/AAVMF_VARS.fd',
};
type FirmwareVariable = keyof typeof firmware;

/** What Packer makes the seed's disk with: https://github.com/hashicorp/packer-plugin-sdk, step_create_cdrom.go. */
const discMakers = ['xorriso', 'mkisofs', 'hdiutil', 'oscdimg'];

/**
 * Looks for what Packer's qemu plugin runs, before minutes go into all that comes before it; the plugin itself says no
 * more than "Qemu failed to start".
 * @throws Failure `qemu-unusable` with everything that is missing
 */
export async function findQemu({ image, architecture }: Cluster, env: Environment): Promise<void> {
  const missing: string[] = [];
  for (const program of [machineOf[architecture], 'qemu-img']) {
    if (!(await isOnPath(program, env))) missing.push(`there is no ${program} on PATH; install QEMU`);
  }
  const found = await Promise.all(discMakers.map((program) => isOnPath(program, env)));
  if (!found.includes(true)) missing.push(`there is none of ${discMakers.join(', ')} on PATH; install xorriso`);
  if (architecture === 'arm64')
    missing.push(...missingFirmware(env, 'PKR_VAR_qemu_efi_firmware_code', 'PKR_VAR_qemu_efi_firmware_vars'));
  missing.push(...missingAcceleration(image.qemu.accelerator, architecture));
  if (missing.length > 0) throw new Failure('qemu-unusable', missing.join('\n  '));
}

export async function isOnPath(program: string, env: Environment): Promise<boolean> {
  const asked = await execa(program, ['--version'], { env, extendEnv: false, reject: false, stdin: 'ignore' });
  return asked.code !== 'ENOENT';
}

/** The UEFI firmware of machines that have no BIOS. */
export const firmwareCode = (env: Environment): string => firmwareOf('PKR_VAR_qemu_efi_firmware_code', env);

const firmwareOf = (variable: FirmwareVariable, env: Environment): string => env[variable] ?? firmware[variable];

/** @returns why a machine that boots by UEFI cannot, one line a file */
export function missingFirmware(env: Environment, ...variables: readonly FirmwareVariable[]): string[] {
  return variables
    .filter((variable) => !existsSync(firmwareOf(variable, env)))
    .map((variable) => {
      const fact = `there is no ${firmwareOf(variable, env)}, UEFI firmware`;
      return `${fact}; install qemu-efi-aarch64, or name the file in ${variable}`;
    });
}

function missingAcceleration(accelerator: string, architecture: Architecture): string[] {
  if (accelerator === 'tcg' || accelerator === 'none') return [];
  const here = architectures[arch()] ?? arch();
  if (here !== architecture) {
    return [
      `${accelerator} runs machines of this processor (${here}) only; bake on ${architecture}, or set image.qemu.accelerator to tcg, which takes many times as long`,
    ];
  }
  return accelerator === 'kvm' ? missingKvm() : [];
}

function missingKvm(): string[] {
  const otherwise =
    platform() === 'darwin'
      ? 'set image.qemu.accelerator to hvf'
      : 'or set image.qemu.accelerator to tcg, which needs none and takes many times as long';
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return [];
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
      ? [`you may not use /dev/kvm; become a member of the group kvm, ${otherwise}`]
      : [`there is no /dev/kvm; bake on a machine that has KVM, ${otherwise}`];
  }
}
