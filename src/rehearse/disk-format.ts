import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Failure } from '../diagnostics/failure.ts';
import { onDisk } from '../edges/on-disk.ts';

/** How disk images begin that are not the bytes of the disk. */
const packed: Readonly<Record<string, 'qcow2' | 'vmdk'>> = { 'QFI\xfb': 'qcow2', KDMV: 'vmdk' };

/**
 * What an image is, as QEMU calls it, or a folder.
 * @throws Failure `image-unreadable` where there is none that can be read
 */
export function diskFormat(image: string): DiskFormat {
  const trouble = {
    code: 'image-unreadable',
    fact: `cannot read ${image}`,
    remedy: 'make it readable for you',
  } as const;
  return onDisk(trouble, () => formatOf(image));
}

type DiskFormat = 'folder' | 'raw' | 'qcow2' | 'vmdk';

function formatOf(image: string): DiskFormat {
  const found = statSync(image, { throwIfNoEntry: false });
  if (found === undefined) {
    const remedy = '`bake image` makes one; name it, or a folder with its root file system, by --image';
    throw new Failure('image-unreadable', `${image} does not exist; ${remedy}`);
  }
  return found.isDirectory() ? 'folder' : (packed[beginning(image)] ?? 'raw');
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
