import { execa } from 'execa';
import { Failure } from '../diagnostics/failure.ts';
import { diskFormat } from './disk-format.ts';

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
  if (['folder', 'raw'].includes(diskFormat(image))) return image;
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
