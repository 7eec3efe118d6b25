import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeNodes } from './describe-nodes.ts';
import { interleave, median, minimum, type Contender, type Run } from './measure.ts';

const ROUNDS = 5;
const here = import.meta.dirname;
const root = join(here, '../..');
const bake = join(root, 'dist/main.js');
const work = mkdtempSync(join(tmpdir(), 'bake-bench-'));

try {
  printStart();
  for (const count of [10, 1_000, 10_000]) printCompile(count);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** How long a user waits for nothing. */
function printStart(): void {
  const contender = (name: string, ...args: string[]): Contender => ({
    name,
    prepare: () => undefined,
    command: [process.execPath, ...args],
    cwd: work,
  });
  const runs = interleave([contender('node -e 0', '-e', '0'), contender('bake --help', bake, '--help')], 20);
  console.log('\nstart');
  printTable(runs, 'node -e 0', 1);
}

function printCompile(count: number): void {
  const folder = join(work, String(count));
  const description = describeNodes(count);
  mkdirSync(join(folder, 'templates'), { recursive: true });
  writeFileSync(join(folder, 'cluster.yaml'), description.yaml);
  writeFileSync(join(folder, 'nodes.txt'), description.list);
  cpSync(join(root, 'examples/guide/ca.pem'), join(folder, 'ca.pem'));
  for (const [name, text] of description.guideTemplates) writeFileSync(join(folder, 'templates', name), text);

  const remove = (...names: string[]): void => {
    for (const name of names) rmSync(join(folder, name), { recursive: true, force: true });
  };
  const removeOut = (): void => remove('out', ...outFolders(folder));
  const runs = interleave(
    [
      {
        name: 'bake compile',
        prepare: removeOut,
        command: [process.execPath, bake, 'compile', 'cluster.yaml'],
        cwd: folder,
      },
      {
        // What the parsed description takes; compile's peak beyond it is what the output takes.
        name: 'bake check',
        prepare: () => undefined,
        command: [process.execPath, bake, 'check', 'cluster.yaml'],
        cwd: folder,
      },
      {
        name: 'cp -r of the same bytes',
        prepare: () => remove('copy'),
        command: ['cp', '-r', 'out/', 'copy'],
        cwd: folder,
      },
      {
        name: "the guide's sed and copies",
        prepare: () => remove('guide'),
        command: [join(here, 'guide-loop.sh'), 'nodes.txt', 'templates', 'guide'],
        cwd: folder,
        rounds: count > 1_000 ? 1 : ROUNDS,
      },
    ],
    ROUNDS,
  );
  console.log(`\n${count} nodes`);
  printTable(runs, 'cp -r of the same bytes', count);
}

function outFolders(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('.out-'));
}

/** Minimum and median of the rounds, per unit, and as a ratio of medians to the yardstick's. */
function printTable(runs: ReadonlyMap<string, readonly Run[]>, yardstick: string, units: number): void {
  const base = median(runs.get(yardstick) ?? []);
  console.log(`${''.padEnd(28)} runs    min s  median s  ms/node      ×  peak MiB`);
  for (const [name, own] of runs) {
    const peak = Math.max(...own.map(({ peakMiB }) => peakMiB));
    const cells = [
      String(own.length).padStart(4),
      minimum(own).toFixed(3).padStart(8),
      median(own).toFixed(3).padStart(9),
      ((median(own) * 1000) / units).toFixed(3).padStart(8),
      (median(own) / base).toFixed(2).padStart(6),
      (peak === 0 ? '-' : peak.toFixed(0)).padStart(9),
    ];
    console.log(`${name.padEnd(28)} ${cells.join(' ')}`);
  }
}
