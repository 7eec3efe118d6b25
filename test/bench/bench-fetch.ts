import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSite, placeOf, sha256, writeSite } from '../support/download-site.ts';
import { withBundle } from '../support/bundle.ts';
import { interleave, median, minimum, type Contender } from './measure.ts';

// The same files from the same server, their checksums compared: bake, curl and aria2c. Then a full cache.
const ROUNDS = 5;
const bake = join(import.meta.dirname, '../../dist/main.js');
const work = mkdtempSync(join(tmpdir(), 'bake-bench-'));
const cache = join(work, 'cache');
const megabytes: Readonly<Record<string, number>> = {
  kubelet: 113,
  'containerd.tar.gz': 90,
  'cni-plugins.tgz': 45,
  'crictl.tar.gz': 25,
  runc: 11,
  'nginx.tar.gz': 1,
};
process.env['XDG_CACHE_HOME'] = cache;

try {
  await withBundle(join(import.meta.dirname, 'serve-folder.ts'), async (script) => {
    const files = writeSite(work, '', (name) => (megabytes[name] ?? 0) * 1e6);
    if (spawnSync(process.execPath, [bake, 'lock'], { cwd: work, stdio: 'inherit' }).status !== 0)
      throw new Error('lock');
    const server = spawn(process.execPath, [script, join(work, 'mirror')], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = (await once(server.stdout, 'data')) as [Buffer];
      compare(`http://127.0.0.1:${port.toString().trim()}`, files);
    } finally {
      server.kill();
    }
  });
} finally {
  rmSync(work, { recursive: true, force: true });
}

function compare(url: string, files: ReadonlyMap<string, Buffer>): void {
  writeFileSync(join(work, 'cluster.yaml'), describeSite(files, [url]));
  const wanted = Object.entries(placeOf).map(([name, place]) => {
    return { name, place, digest: sha256(files.get(place) ?? Buffer.alloc(0)) };
  });
  const got = join(work, 'got');
  const anew = (folder: string) => () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  };
  const curl = wanted.map(({ name, place }) => `-o ${name} ${url}/${place}`).join(' ');
  writeFileSync(join(work, 'sums'), wanted.map(({ name, digest }) => `${digest}  ${name}\n`).join(''));
  const aria = wanted.map(
    ({ name, place, digest }) => `${url}/${place}\n  out=${name}\n  checksum=sha-256=${digest}\n`,
  );
  writeFileSync(join(work, 'list'), aria.join(''));
  const sh = (script: string): string[] => ['sh', '-c', script];
  const contenders: Contender[] = [
    { name: 'bake fetch', prepare: anew(cache), command: [process.execPath, bake, 'fetch'], cwd: work },
    {
      name: 'curl -Z, then sha256sum',
      prepare: anew(got),
      command: sh(`curl -Z --parallel --fail --silent --show-error ${curl} && sha256sum --check --quiet ../sums`),
      cwd: got,
    },
    {
      name: 'the same, then sync',
      prepare: anew(got),
      command: sh(
        `curl -Z --parallel --fail --silent --show-error ${curl} && sha256sum --check --quiet ../sums && sync ${wanted.map(({ name }) => name).join(' ')}`,
      ),
      cwd: got,
    },
    {
      name: 'aria2c with checksums',
      prepare: anew(got),
      command: ['aria2c', '--quiet', '--max-concurrent-downloads=6', '--input-file=../list'],
      cwd: got,
    },
  ];
  const total = wanted.reduce((sum, { name }) => sum + (megabytes[name] ?? 0), 0);
  console.log(`\n${wanted.length} files, ${total} MB, from a server on this machine`);
  report(contenders.filter(isThere), ROUNDS, 'bake fetch');

  const quick = (name: string, ...argv: string[]): Contender => ({
    name,
    prepare: () => undefined,
    command: [process.execPath, bake, ...argv],
    cwd: work,
  });
  spawnSync(process.execPath, [bake, 'fetch'], { cwd: work });
  console.log('\nwith a full cache');
  report(
    [quick('bake --help', '--help'), quick('bake fetch', 'fetch'), quick('bake fetch --verify', 'fetch', '--verify')],
    10,
    'bake --help',
  );
}

function isThere({ name, command: [program = '', , script = ''] }: Contender): boolean {
  const tool = program === 'sh' ? script.split(' ')[0] : program;
  if (program === process.execPath || spawnSync(tool ?? '', ['--version']).status === 0) return true;
  console.log(`skipped: ${name}, which is not installed`);
  return false;
}

function report(contenders: readonly Contender[], rounds: number, base: string): void {
  const runs = interleave(contenders, rounds);
  const reference = median(runs.get(base) ?? []);
  for (const [name, own] of runs) {
    const ratio = (median(own) / reference).toFixed(2);
    const figures = `${median(own).toFixed(2)} s median, ${minimum(own).toFixed(2)} s best`;
    console.log(`  ${name.padEnd(26)} ${figures}, ${ratio} x ${base}`);
  }
}
