import { join } from 'node:path';
import { execa } from 'execa';
import type { MachineDescription } from './real-bake.ts';

const main = join(import.meta.dirname, '../../dist/main.js');

/** Of pause.tar, which a test writes beside its description. */
export const pauseImage = 'registry.example.com/pause:3.2';

/** A description whose downloads all come from mirrors, and its pause image from an archive. */
export function withMirror(description: MachineDescription, ...mirrors: readonly string[]): object {
  return {
    ...description,
    containerd: { ...description.containerd, sandboxImage: pauseImage, sandboxImageArchive: 'pause.tar' },
    downloads: { mirrors },
  };
}

/**
 * Runs `bake image` as built, on the cluster.yaml of a folder, in whose tmp it works; it does not reject.
 * @param path folders with Packer and what Packer runs
 */
export function bakeImage(
  folder: string,
  path: readonly string[],
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  return runBuilt(folder, path, ['image', 'cluster.yaml', ...argv], env);
}

/** Runs any command line of the built bake in that way. */
export function runBuilt(
  folder: string,
  path: readonly string[],
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  return execa(process.execPath, [main, ...argv], {
    cwd: folder,
    env: {
      PATH: [...path, process.env['PATH'] ?? ''].join(':'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      TMPDIR: join(folder, 'tmp'),
      HOME: folder,
      // Whatever would leave this machine ends here.
      HTTPS_PROXY: 'http://127.0.0.1:1',
      ...env,
    },
    extendEnv: false,
    reject: false,
  });
}
