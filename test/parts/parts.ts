import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** What a recipe needs of the machine, beside Linux, bash and flock. `apt` is an apt whose mirrors are Debian 12's. */
type Need = 'apt' | 'go' | 'root';

/**
 * One recipe each, NAME.sh; `files` are the other files of this folder that it reads, `uses` the parts that are built first
 * and whose folders it finds in variables called as they are, such as NGINX_SOURCE; `minutes` on two idle cores.
 */
const PARTS = {
  'kubelet-config-oracle': { files: ['kubelet-config-oracle/main.go'], needs: ['go'], minutes: 4 },
  'csr-oracle': { files: ['csr-oracle/main.go', 'private-apt.sh'], needs: ['go', 'apt'], minutes: 1 },
  packer: { files: [], needs: ['go'], minutes: 4 },
  'debian-12': { files: ['debian-root.sh', 'private-apt.sh'], needs: ['root', 'apt'], minutes: 3 },
  'debian-12-cloud': { files: ['debian-root.sh', 'private-apt.sh'], needs: ['root', 'apt'], minutes: 4 },
  machines: { files: ['debian-root.sh', 'private-apt.sh'], needs: ['root', 'apt'], minutes: 2 },
  'nginx-source': { files: ['private-apt.sh'], needs: ['apt'], minutes: 1 },
  versitygw: { files: [], needs: ['go'], minutes: 2 },
  buildah: { files: ['debian-root.sh', 'private-apt.sh'], needs: ['root', 'apt'], minutes: 1 },
  'docker-registry': { files: ['private-apt.sh'], needs: ['apt'], minutes: 1 },
  'kubelet-1.18.6': { files: ['kubernetes-module.sh', 'private-apt.sh'], needs: ['apt'], minutes: 7 },
  'control-plane-1.18.6': { files: ['kubernetes-module.sh', 'private-apt.sh'], needs: ['apt'], minutes: 10 },
  'control-plane-1.37.2': { files: [], needs: ['go'], minutes: 15 },
  'upstream-mirror': {
    files: ['private-apt.sh'],
    needs: ['apt'],
    uses: ['nginx-source', 'kubelet-1.18.6'],
    minutes: 1,
  },
  arm64: {
    files: [
      'kubernetes-module.sh',
      'private-apt.sh',
      'debian-root.sh',
      'debian-12-cloud.sh',
      'upstream-mirror.sh',
      'make-disk',
      'run-tool',
    ],
    needs: ['root', 'apt'],
    uses: ['nginx-source', 'machines'],
    minutes: 20,
  },
} as const satisfies Record<string, Recipe>;

interface Recipe {
  readonly files: readonly string[];
  readonly needs: readonly Need[];
  readonly uses?: readonly string[];
  readonly minutes: number;
}

export type PartName = keyof typeof PARTS;

export const partNames = Object.keys(PARTS) as PartName[];

export class MissingPart extends Error {
  override name = 'MissingPart';

  constructor(part: string, reason: string) {
    super(`${part}: ${reason}`);
  }
}

const recipes = import.meta.dirname;

/** The folder of the finished part; built first when the cache has none of this very recipe. */
export async function part(name: PartName): Promise<string> {
  const cache = cacheFolder();
  const finished = join(cache, `${name}-${await hashOfRecipe(name)}`);
  if (!existsSync(finished)) {
    await refuseWhatCannotBuild(name);
    await mkdir(cache, { recursive: true });
    const used: Record<string, string> = {};
    for (const other of usedBy(name)) used[other.toUpperCase().replace(/[^A-Z0-9]/g, '_')] = await part(other);
    await build(name, cache, finished, used);
  }
  return finished;
}

function usedBy(name: PartName): readonly PartName[] {
  const recipe = PARTS[name];
  return 'uses' in recipe ? recipe.uses : [];
}

/** `all` is stdout and stderr as they came; `exitCode` is undefined when a signal ended the command. */
export interface CommandResult {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
  all: string;
}

/**
 * Runs a command inside a root file system such as debian-12, in a layer over it that is thrown away: neither the cached
 * part nor this machine is written to, except through `binds`. It has a network of its own (loopback only) unless `network`
 * says 'host', or by which command line to enter another one. A command that fails does not reject (look at `exitCode`); one that could not be started does.
 */
export async function runInRoot(
  root: string,
  argv: readonly [string, ...string[]],
  options: {
    binds?: readonly { from: string; to: string; writable?: boolean }[];
    cwd?: string;
    env?: Readonly<Record<string, string>>;
    input?: string;
    network?: 'host' | 'own' | readonly [string, ...string[]];
  } = {},
): Promise<CommandResult> {
  if (process.getuid?.() !== 0) throw new MissingPart(root, 'is entered as root only');
  const binds = (options.binds ?? []).flatMap(({ from, to, writable }) => [writable ? '--write' : '--read', from, to]);
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const { network = 'own' } = options;
  const enter = typeof network === 'string' ? [] : network;
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', ...(network === 'own' ? ['--net'] : [])];
  const { exitCode, stdout, stderr, all } = await execa(
    'env',
    [
      ...enter,
      'unshare',
      ...namespaces,
      join(recipes, 'run-in-root'),
      root,
      ...binds,
      '--',
      'env',
      '--ignore-environment',
      `--chdir=${options.cwd ?? '/'}`,
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOME=/root',
      'LANG=C.UTF-8',
      ...env,
      ...argv,
    ],
    { all: true, reject: false, input: options.input ?? '' },
  );
  if (exitCode === 125) throw new Error(`${argv[0]} was not started in ${root}: ${stderr}`);
  return { exitCode, stdout, stderr, all };
}

function cacheFolder(): string {
  const cache = process.env.BAKE_PARTS_CACHE ?? process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return resolve(cache, 'bake-parts');
}

async function hashOfRecipe(name: PartName): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [`${name}.sh`, ...PARTS[name].files]) hash.update(await readFile(join(recipes, file)));
  for (const other of usedBy(name)) hash.update(await hashOfRecipe(other));
  return hash.digest('hex').slice(0, 12);
}

/** Everything in a machine that a recipe needs and would only miss halfway. */
async function refuseWhatCannotBuild(name: PartName): Promise<void> {
  if (process.platform !== 'linux') {
    throw new MissingPart(name, `is built on Linux only, and this is ${process.platform}`);
  }
  const needs: readonly Need[] = PARTS[name].needs;
  if (needs.includes('root') && process.getuid?.() !== 0) throw new MissingPart(name, 'is built as root only');
  if (needs.includes('go') && !(await isCommand('go'))) {
    throw new MissingPart(name, 'wants Go, and there is no `go` in PATH');
  }
  if (needs.includes('apt') && !(await hasDebian12())) {
    throw new MissingPart(name, `wants apt-get and ${DEBIAN_SOURCES} with the suite bookworm (Debian 12)`);
  }
}

const DEBIAN_SOURCES = '/etc/apt/sources.list.d/debian.sources';

async function hasDebian12(): Promise<boolean> {
  const sources = await readFile(DEBIAN_SOURCES, 'utf8').catch(() => '');
  return sources.includes('bookworm') && (await isCommand('apt-get'));
}

async function isCommand(name: string): Promise<boolean> {
  return (await execa('which', [name], { reject: false })).exitCode === 0;
}

// Under the lock, what a killed build left is swept away, and a folder gets its final name only when it is complete.
const BUILD = `set -eu
recipe=$1 building=$2 finished=$3
if [ -d "$finished" ]; then exit; fi
umask 022
rm -rf --one-file-system "$building"
mkdir "$building"
bash "$recipe" "$building"
mv -T "$building" "$finished"`;

async function build(
  name: PartName,
  cache: string,
  finished: string,
  used: Readonly<Record<string, string>>,
): Promise<void> {
  const started = performance.now();
  process.stderr.write(`parts: building ${name} (about ${PARTS[name].minutes} min)…\n`);
  const { exitCode, all } = await execa(
    'flock',
    [`${finished}.lock`, 'bash', '-c', BUILD, 'bash', join(recipes, `${name}.sh`), `${finished}.building`, finished],
    { all: true, reject: false, stdin: 'ignore', env: { ...goEnvironment(cache), ...used } },
  );
  if (exitCode !== 0) throw new MissingPart(name, `its recipe failed\n${all.split('\n').slice(-30).join('\n')}`);
  process.stderr.write(`parts: ${name} took ${((performance.now() - started) / 1000).toFixed(0)} s\n`);
}

/** Go's downloads and compiled packages, kept for the next part, and nothing of how the user has set up their own Go. */
function goEnvironment(cache: string): Record<string, string> {
  const go = join(cache, 'go');
  return {
    GOPATH: go,
    GOMODCACHE: join(go, 'modules'),
    GOCACHE: join(go, 'build'),
    GOFLAGS: '-modcacherw -buildvcs=false',
    GOWORK: 'off',
  };
}

if (process.argv[1] === import.meta.filename) {
  const asked = process.argv.slice(2);
  if (asked.length === 0 || !asked.every((name) => name === 'all' || name in PARTS)) {
    process.stderr.write(`usage: npx tsx test/parts/parts.ts all | NAME…, of ${partNames.join(', ')}\n`);
    process.exitCode = 2;
  } else {
    for (const name of partNames) {
      if (asked.includes(name) || asked.includes('all')) process.stdout.write(`${name} ${await part(name)}\n`);
    }
  }
}
