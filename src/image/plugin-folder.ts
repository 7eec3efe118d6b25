import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { Failure } from '../diagnostics/failure.ts';

/**
 * Lays the plugins out as `packer init` would have installed them, so that it has nothing left to fetch: the program
 * and its SHA-256 (https://developer.hashicorp.com/packer/docs/plugins/install#manual-installation).
 * @param files name in bake.lock -> path; the plugins' names end in .zip
 * @throws Failure `plugin-unusable`
 */
export function pluginFolder(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, path] of files) {
    const plugin = /^packer-plugin-([a-z]+)_v.*\.zip$/.exec(name)?.[1];
    if (plugin === undefined) continue;
    const target = join(folder, 'github.com/hashicorp', plugin);
    mkdirSync(target, { recursive: true });
    for (const [program, bytes] of programsIn(name, path)) {
      writeFileSync(join(target, program), bytes, { mode: 0o755 });
      writeFileSync(join(target, `${program}_SHA256SUM`), createHash('sha256').update(bytes).digest('hex'));
    }
  }
}

function programsIn(name: string, path: string): [string, Uint8Array][] {
  const archive = readFileSync(path);
  try {
    return Object.entries(unzipSync(archive, { filter: (entry) => entry.name.startsWith('packer-plugin-') }));
  } catch (error) {
    // Its digest is the lock's: whoever locked it was given something else.
    const fact = `${name} is no zip archive (${(error as Error).message}), though it is the file that bake.lock names`;
    throw new Failure('plugin-unusable', `${fact}; see where it came from, and run \`bake lock --update\``);
  }
}
