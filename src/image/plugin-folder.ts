import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';

/**
 * Lays the plugins out as `packer init` would have installed them, so that it has nothing left to fetch: the program
 * and its SHA-256 (https://developer.hashicorp.com/packer/docs/plugins/install#manual-installation).
 * @param files name in bake.lock -> path; the plugins' names end in .zip
 */
export function pluginFolder(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [name, path] of files) {
    const plugin = /^packer-plugin-([a-z]+)_v.*\.zip$/.exec(name)?.[1];
    if (plugin === undefined) continue;
    const target = join(folder, 'github.com/hashicorp', plugin);
    mkdirSync(target, { recursive: true });
    const entries = unzipSync(readFileSync(path), { filter: (entry) => entry.name.startsWith('packer-plugin-') });
    for (const [program, bytes] of Object.entries(entries)) {
      writeFileSync(join(target, program), bytes, { mode: 0o755 });
      writeFileSync(join(target, `${program}_SHA256SUM`), createHash('sha256').update(bytes).digest('hex'));
    }
  }
}
