import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { textTable } from '../../src/report/text-table.ts';
import { startApiServer } from '../support/apiserver.ts';
import { tryPart } from '../support/try-part.ts';
import { countConnections, type CountedWay } from './count-connections.ts';
import { describeNodes } from './describe-nodes.ts';
import { auditPolicy, PendingRequests, readRequests, type Asking, type Requests } from './pending-requests.ts';

// `npm run bench -- approve [RELEASE…] [COUNT…]`: so many nodes wait for their serving certificates, and one in twenty of those
// that ask is not planned. A real apiserver counts the requests (its audit log), a relay before it the connections, GNU time has
// the peak of the largest process. All flags that make the control plane slow or fast are as they come: its signer does 20
// requests a second, and so does kubectl 5.
const COUNTS = [100, 1_000, 5_000] as const;
const RELEASES = [
  { release: '1.18.6', part: 'control-plane-1.18.6', version: 'v1beta1' },
  { release: '1.37.2', part: 'control-plane-1.37.2', version: 'v1' },
] as const;
/** One in so many that ask is not planned. */
const STRANGERS = 20;
const STRANGER = 'stranger';
/** What kubectl takes many minutes for is measured with so many: its pace is that of its own limit. */
const MOST_FOR_SLOW = 200;
/** Small ones are over before a machine is at its pace; then the median counts. */
const roundsOf = (count: number): number => (count <= 100 ? 3 : 1);

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  readonly isSlow?: true;
}

const guide = "the guide's pipeline";
const waiting = "kubectl get csr | grep Pending | awk '{print $1}'";
const sh = (script: string): string[] => ['sh', '-c', script];
const bake = join(import.meta.dirname, '../../dist/main.js');
const contenders: readonly Contender[] = [
  { name: 'bake approve-csrs', command: [process.execPath, bake, 'approve-csrs', '--timeout', '30m'] },
  { name: guide, command: sh(`${waiting} | xargs kubectl certificate approve`), isSlow: true },
  { name: 'kubectl, one call', command: sh('kubectl certificate approve $(cat names)'), isSlow: true },
  { name: 'that, by xargs -n5 -P8', command: sh(`${waiting} | xargs -n5 -P8 kubectl certificate approve`) },
];

/** Of one run; seconds are from its start. */
interface Figures extends Requests {
  readonly count: number;
  /** Until all that are planned are so. */
  readonly approved: number;
  readonly issued: number;
  readonly connections: number;
  readonly peakMiB: number;
  /** Approved, and not planned. */
  readonly wrong: number;
}

async function compare({ release, part, version }: (typeof RELEASES)[number], sizes: readonly number[]): Promise<void> {
  const [controlPlane, debian] = [await tryPart(part), await tryPart('debian-12')];
  const missing = controlPlane.missing ?? debian.missing;
  if (missing !== undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'bake-bench-'));
  writeFileSync(join(folder, 'audit-policy'), auditPolicy);
  const audit = { 'audit-policy-file': join(folder, 'audit-policy'), 'audit-log-path': join(folder, 'audit.log') };
  const parts = { controlPlane: controlPlane.folder, debian: debian.folder };
  const api = await startApiServer(parts, join(folder, 'cluster'), release, audit);
  const way = await countConnections(Number(new URL(api.server).port));
  try {
    const kubeconfig = readFileSync(api.kubeconfig, 'utf8').replace(api.server, `https://127.0.0.1:${way.port}`);
    writeFileSync(join(folder, 'kubeconfig'), kubeconfig);
    // 1.37.2 comes without a kubectl; then it is the one of this machine.
    const env = {
      HOME: folder,
      KUBECONFIG: join(folder, 'kubeconfig'),
      PATH: `${parts.controlPlane}:${process.env['PATH']}`,
    };
    // Nobody's first call is measured, for which kubectl asks what there is.
    await execa({ env })`kubectl get csr`;
    const { stdout } = await execa({ env })`kubectl version --client -o json`;
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { gitVersion: string } };
    cpSync(join(api.identities, 'ca.pem'), join(folder, 'ca.pem'));
    const world = new World(new PendingRequests(api, version), way, folder, env);
    for (const size of sizes) {
      console.log(
        `\nKubernetes ${release}, kubectl ${clientVersion.gitVersion}: ${size} pending, ${size / STRANGERS} of them not planned`,
      );
      printTable(await world.compare(size));
      if (size > MOST_FOR_SLOW)
        console.log(`with ${MOST_FOR_SLOW} pending what would take too long; its pace stays the same`);
    }
  } finally {
    way.close();
    await api.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A cluster, and who would have its requests approved. */
class World {
  readonly #requests: PendingRequests;
  readonly #way: CountedWay;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #slow = new Map<Contender, Figures>();

  constructor(requests: PendingRequests, way: CountedWay, folder: string, env: Readonly<Record<string, string>>) {
    this.#requests = requests;
    this.#way = way;
    this.#folder = folder;
    this.#env = env;
  }

  /** Every contender in turn, several rounds where they are short. */
  async compare(size: number): Promise<Map<string, Figures>> {
    const runs = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < roundsOf(size); round++) {
      for (const contender of contenders) {
        if (contender.isSlow && round > 0) continue;
        runs.get(contender.name)?.push(await this.#figures(contender, size));
      }
    }
    return new Map([...runs].map(([name, own]) => [name, medianOf(own)]));
  }

  async #figures(contender: Contender, size: number): Promise<Figures> {
    if (!contender.isSlow || size <= MOST_FOR_SLOW) return this.#measure(contender, size);
    const figures = this.#slow.get(contender) ?? (await this.#measure(contender, MOST_FOR_SLOW));
    this.#slow.set(contender, figures);
    return figures;
  }

  async #measure({ name, command }: Contender, count: number): Promise<Figures> {
    const all = await this.#prepare(count);
    const planned = all.filter(isPlanned);
    const seen = await this.#requests.watch();
    const log = join(this.#folder, 'audit.log');
    const logged = statSync(log).size;
    this.#way.count = 0;
    const started = performance.now();
    const timed = ['time', '--quiet', '--format=%M', '--output=peak', ...command];
    const options = { cwd: this.#folder, env: this.#env, reject: false, stdout: 'ignore' } as const;
    const { exitCode, stderr } = await execa(options)`${timed}`;
    if (exitCode !== 0) throw new Error(`${name} failed (${exitCode}): ${stderr.slice(-1000)}`);
    try {
      return {
        count,
        approved: (await lastOf(planned, seen.approved)) - started,
        issued: (await lastOf(planned, seen.issued)) - started,
        ...readRequests(log, logged, ['bake', 'kubectl']),
        connections: this.#way.count,
        peakMiB: Number(readFileSync(join(this.#folder, 'peak'), 'utf8')) / 1024,
        wrong: all.filter((asking) => !isPlanned(asking) && seen.approved.has(asking.name)).length,
      };
    } finally {
      seen.end();
    }
  }

  /** So many ask, and the description knows those that are planned. */
  async #prepare(count: number): Promise<Asking[]> {
    const { yaml, list } = describeNodes((count * (STRANGERS - 1)) / STRANGERS);
    writeFileSync(join(this.#folder, 'cluster.yaml'), yaml);
    const nodes = list.trimEnd().split('\n').values();
    const all = Array.from({ length: count }, (_, index) => {
      const name = `csr-${index}`;
      if (index % STRANGERS === 0) return { node: `${STRANGER}${index}`, address: '10.0.0.1', name };
      const [node = '', address = ''] = nodes.next().value?.split(' ') ?? [];
      return { node, address, name };
    });
    writeFileSync(join(this.#folder, 'names'), all.map(({ name }) => `${name}\n`).join(''));
    await this.#requests.become(all);
    return all;
  }
}

function isPlanned({ node }: Asking): boolean {
  return !node.startsWith(STRANGER);
}

/** Waits until the last of these was seen. */
async function lastOf(all: readonly Asking[], seen: ReadonlyMap<string, number>): Promise<number> {
  for (let before = -1; ;) {
    const times = all.flatMap(({ name }) => seen.get(name) ?? []);
    if (times.length === all.length) return Math.max(...times);
    if (times.length === before) throw new Error(`only ${before} of ${all.length} have come so far`);
    before = times.length;
    await setTimeout(10_000);
  }
}

function medianOf(runs: readonly Figures[]): Figures {
  const sorted = runs.toSorted((one, other) => one.approved - other.approved);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('nothing was measured');
  return median;
}

/** As many times the guide's pace as ×. */
function printTable(figures: ReadonlyMap<string, Figures>): void {
  const pace = ({ approved, count }: Figures): number => approved / count;
  const yardstick = figures.get(guide);
  const rows = [...figures].map(([name, own]) => {
    const { count, approved, issued, all, lists, approvals, connections, peakMiB, wrong } = own;
    return [
      name,
      String(count),
      (approved / 1000).toFixed(2),
      pace(own).toFixed(2),
      (yardstick === undefined ? Number.NaN : pace(yardstick) / pace(own)).toFixed(1),
      (issued / 1000).toFixed(1),
      (all / count).toFixed(2),
      String(lists),
      (approvals / count).toFixed(2),
      String(connections),
      (connections / count).toFixed(3),
      peakMiB.toFixed(0),
      String(wrong),
    ];
  });
  const calls = ['requests/CSR', 'list pages', 'PUTs/CSR', 'connections', 'per CSR'];
  const heads = ['', 'pending', 'approved s', 'ms/CSR', '×', 'issued s', ...calls, 'peak MiB', 'wrong'];
  process.stdout.write(textTable(heads, rows));
}

const words = process.argv.slice(3);
const known: readonly string[] = [...RELEASES.map(({ release }) => release), ...COUNTS.map(String)];
const unknown = words.find((word) => !known.includes(word));
if (unknown !== undefined) throw new Error(`${unknown} is none of ${known.join(', ')}`);
const releases = RELEASES.filter(({ release }) => words.includes(release));
const counts = COUNTS.filter((count) => words.includes(String(count)));
for (const each of releases.length === 0 ? RELEASES : releases)
  await compare(each, counts.length === 0 ? COUNTS : counts);
