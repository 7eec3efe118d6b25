import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { withBundle } from '../support/bundle.ts';
import { bakeImage, pauseImage, withMirror } from '../support/image-command.ts';
import { mirrorUpstream } from '../support/mirror-upstream.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { missingForBake, startRealBake, type MachineDescription, type RealBake } from '../support/real-bake.ts';
import { tryPart } from '../support/try-part.ts';

// The guide's own sequence and `bake image`, each on a machine that has just booted, in turn. Both download from one server
// on this machine, and install packages through one relay of apt's mirror.
const ROUNDS = 3;
type Steps = ReadonlyMap<string, number>;

if (missingForBake !== undefined) throw new Error(missingForBake);
const upstream = (await tryPart('upstream-mirror')).folder;
const packer = (await tryPart('packer')).folder;

const guide: Steps[] = [];
const bake: Steps[] = [];
for (let round = 0; round < ROUNDS; round++) {
  guide.push(await onNewMachine(byGuide));
  bake.push(await onNewMachine(byBake));
}
printTable('the guide, by hand', guide);
printTable('bake image', bake);

async function onNewMachine(run: (machine: RealBake, mirror: string) => Promise<Steps>): Promise<Steps> {
  const machine = await startRealBake();
  const folder = join(dirname(machine.out), 'mirror');
  try {
    await machine.compile({ sysprep: true });
    await mirrorUpstream({ upstream, packer }, folder);
    let steps: Steps = new Map();
    await withBundle(join(import.meta.dirname, 'serve-folder.ts'), async (script) => {
      const server = spawn(process.execPath, [script, folder, machine.link.gateway], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const [port] = (await once(server.stdout, 'data')) as [Buffer];
        steps = await run(machine, `http://${machine.link.gateway}:${port.toString().trim()}`);
      } finally {
        server.kill();
      }
    });
    return steps;
  } finally {
    await machine.end();
  }
}

async function byGuide({ node, out, relay }: RealBake, mirror: string): Promise<Steps> {
  const place = (from: string, to: string) => cpSync(from, join(node.root, to), { recursive: true });
  place(join(import.meta.dirname, 'guide-image.sh'), 'root/guide-image.sh');
  place(join(out, 'packer/rootfs'), 'root/rootfs');
  rmSync(join(node.root, 'etc/apt/sources.list.d'), { recursive: true });
  writeFileSync(join(node.root, 'etc/apt/sources.list'), `deb ${relay.archive} bookworm main\n`);
  const { packages } = JSON.parse(readFileSync(join(out, 'packer/bake.auto.pkrvars.json'), 'utf8')) as {
    packages: string[];
  };
  const urls = readFileSync(join(out, 'packer/artifacts.tsv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[1]?.replace('https:/', mirror));
  const command = `GUIDE_PACKAGES='${packages.join(' ')}' /root/guide-image.sh /root/rootfs ${urls.join(' ')}`;
  const { exitCode, stdout, all } = await node.run(command);
  if (exitCode !== 0) throw new Error(all);
  return new Map(
    stdout.split('\n').map((line) => {
      const [name = '', seconds] = line.split('\t');
      return [name, Number(seconds)];
    }),
  );
}

async function byBake({ out, key }: RealBake, mirror: string): Promise<Steps> {
  const folder = dirname(out);
  mkdirSync(join(folder, 'tmp'));
  await writeImageArchive(join(folder, 'pause.tar'), pauseImage);
  const description = parse(readFileSync(join(folder, 'cluster.yaml'), 'utf8')) as MachineDescription;
  // The lists of Packer's plugins are believed as they come, and not by plain HTTP.
  const lists = `file://${join(folder, 'mirror')}`;
  writeFileSync(join(folder, 'cluster.yaml'), stringify(withMirror(description, mirror, lists)));
  const { exitCode, stdout, stderr } = await bakeImage(folder, [packer], ['--ssh-key', key, '--json']);
  if (exitCode !== 0) throw new Error(stderr);
  const told = JSON.parse(stdout) as { seconds: number; phases: { name: string; seconds: number }[] };
  // The lock is written first, since there is none.
  const steps = new Map([['lock', told.seconds]]);
  const add = (name: string, seconds: number) => steps.set(name, (steps.get(name) ?? 0) + seconds);
  for (const { name, seconds } of told.phases) {
    add('lock', -seconds);
    add(name.startsWith('upload ') ? 'uploads' : name, seconds);
  }
  return steps;
}

/** The median of each step; steps of less than a second together. */
function printTable(title: string, rounds: readonly Steps[]): void {
  const medians = [...(rounds[0] ?? new Map<string, number>()).keys()].map((name) => {
    const sorted = rounds.map((steps) => steps.get(name) ?? 0).sort((a, b) => a - b);
    return { name, seconds: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
  });
  const short = medians.filter(({ seconds }) => seconds < 1).reduce((sum, { seconds }) => sum + seconds, 0);
  const total = medians.reduce((sum, { seconds }) => sum + seconds, 0);
  console.log(`\n${title}, median of ${rounds.length}`);
  for (const { name, seconds } of medians) if (seconds >= 1) printRow(seconds, name);
  if (short > 0) printRow(short, 'all steps of less than a second');
  printRow(total, 'in all');
}

function printRow(seconds: number, name: string): void {
  console.log(`${seconds.toFixed(1).padStart(8)} s  ${name}`);
}
