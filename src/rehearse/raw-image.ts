import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { execa } from 'execa';
import { Failure } from '../diagnostics/failure.ts';

/** How a disk image begins that the kernel cannot mount: qcow2, VMDK. */
const packed = ['QFI\xfb', 'KDMV'];

/**
 * An image as rehearsal/boot takes it: a folder, a raw disk, or what qemu-img makes of another one.
 * @param raw where that one goes
 * @throws Failure `image-unreadable`
 */
export async function rawImage(
  image: string,
  raw: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  if (isFolder(image) || !packed.includes(beginning(image))) return image;
  const converted = await execa('qemu-img', ['convert', '-O', 'raw', image, raw], {
    env,
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (converted.exitCode === 0) return raw;
  const why =
    converted.code === 'ENOENT'
      ? 'that needs qemu-img, and there is none on PATH; install qemu-utils'
      : `${converted.stderr.trim()}; TMPDIR names another folder for it`;
  throw new Failure('image-unreadable', `${image} cannot be made a raw disk: ${why}`);
}

function isFolder(image: string): boolean {
  const found = statSync(image, { throwIfNoEntry: false });
  if (found !== undefined) return found.isDirectory();
  const remedy = '`bake image` makes one; name it, or a folder with its root file system, by --image';
  throw new Failure('image-unreadable', `${image} does not exist; ${remedy}`);
}

function beginning(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(4);
    readSync(descriptor, bytes);
    return bytes.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}
