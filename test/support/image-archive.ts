import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';
import type { Architecture } from '../../src/cluster/cluster.ts';

/**
 * Writes an archive as `docker save` does, of an image with one file, its program.
 * @param file where to; beside it must be room for a folder of the same name
 * @param program bytes of a static binary; without one the image can be imported, and not run
 */
export async function writeImageArchive(
  file: string,
  reference: string,
  program: string | Uint8Array = '#!/bin/sh\n',
  architecture: Architecture = 'amd64',
): Promise<void> {
  const work = `${file}.d`;
  mkdirSync(work);
  writeFileSync(join(work, 'program'), program, { mode: 0o755 });
  await create({ cwd: work, file: join(work, 'layer.tar'), portable: true }, ['program']);
  const digest = createHash('sha256')
    .update(readFileSync(join(work, 'layer.tar')))
    .digest('hex');
  const config = {
    architecture,
    os: 'linux',
    config: { Entrypoint: ['/program'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  writeFileSync(join(work, 'config.json'), JSON.stringify(config));
  writeFileSync(
    join(work, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }]),
  );
  await create({ cwd: work, file, portable: true }, ['manifest.json', 'config.json', 'layer.tar']);
  rmSync(work, { recursive: true });
}
