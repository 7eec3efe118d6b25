import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { zipSync } from 'fflate';
import { packerPlatforms, packerPluginRelease } from '../../src/catalog/packer-plugins.ts';

/** A mirror with the files of the part `upstream-mirror`, and Packer's plugins as upstream packs them; those of other platforms are never unpacked here. */
export async function mirrorUpstream(
  parts: { readonly upstream: string; readonly packer: string },
  mirror: string,
): Promise<void> {
  await execa('cp', ['--recursive', '--link', parts.upstream, mirror]);
  for (const plugin of ['amazon', 'qemu'] as const) {
    const programs = join(parts.packer, 'plugins/github.com/hashicorp', plugin);
    let list = '';
    for (const platform of packerPlatforms) {
      const { url, fileName, checksums } = packerPluginRelease(plugin, platform);
      const program = fileName.replace(/\.zip$/, '');
      const real = readdirSync(programs).includes(program);
      const bytes = real ? readFileSync(join(programs, program)) : Buffer.from('elsewhere');
      const zip = zipSync({ [program]: bytes }, { level: 0 });
      const place = join(mirror, url.replace('https://', ''));
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, zip);
      list += `${createHash('sha256').update(zip).digest('hex')}  ${fileName}\n`;
      writeFileSync(join(mirror, checksums.replace('https://', '')), list);
    }
  }
}
