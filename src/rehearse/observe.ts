import type { Machine } from './machine.ts';
import { oneLine } from './one-line.ts';
import type { PlacedFile } from './stage.ts';

/** What has happened on a machine since it booted. */
export interface Observed {
  /** Whether everything that a boot starts was started, well or not; else what is missing may come yet. */
  readonly booted: boolean;
  /** Files of the image that are not as compiled. */
  readonly differing: readonly string[];
  readonly cloudInit: { readonly status: string; readonly datasource: string; readonly errors: readonly string[] };
  /** What is there of the files that user-data places. */
  readonly files: readonly PlacedFile[];
  /** Those that were started, in that order. */
  readonly units: readonly Unit[];
  readonly failedUnits: readonly FailedUnit[];
  /** What bake-check says. */
  readonly check: Check;
}

export interface Unit {
  readonly name: string;
  /** After PID 1 began, in seconds. */
  readonly at: number;
  readonly state: string;
}

export interface FailedUnit {
  readonly name: string;
  /** Its last line in the journal; '' where it has none. */
  readonly said: string;
}

/** The reason is a code of bake-check's, and what it says of it; without one the node has joined. */
export interface Check {
  readonly passed: readonly string[];
  readonly reason: { readonly code: string; readonly text: string } | undefined;
}

type Run = (command: string) => Promise<string>;

/**
 * @param check what bake-check said last; it is asked once the machine has booted
 * @returns undefined where the machine does not answer, or not to the end: what was not asked is neither good nor bad
 */
export async function observe(
  machine: Machine,
  placed: readonly PlacedFile[],
  check: Check | undefined,
): Promise<Observed | undefined> {
  let answers = systemdAnswers.test((await machine.run(isRunning))?.stdout ?? '');
  const run: Run = async (command) => {
    const ran = await machine.run(command);
    answers &&= ran !== undefined;
    return ran?.stdout ?? '';
  };
  const differing = await run('sha256sum --check --quiet /run/rehearsal/seed/image.sha256 2>/dev/null');
  const seen = {
    booted: check !== undefined,
    differing: [...differing.matchAll(/^(.*): FAILED/gm)].map(([, file]) => file ?? ''),
    cloudInit: await readCloudInit(run),
    files: await readFiles(run, placed),
    units: await readUnits(run),
    failedUnits: await readFailedUnits(run),
  };
  const last = check ?? (await runCheck(machine));
  return answers && last !== undefined ? { ...seen, check: last } : undefined;
}

const isRunning = 'systemctl is-system-running';
/** Else it says "offline" or "unknown": https://man7.org/linux/man-pages/man1/systemctl.1.html */
const systemdAnswers = /^(initializing|starting|running|degraded|maintenance|stopping)$/;

/** Whether everything that a boot starts was started, well or not. */
export async function hasBooted(machine: Machine): Promise<boolean> {
  const asked = await machine.run(isRunning);
  return asked !== undefined && /^(running|degraded)$/.test(asked.stdout);
}

/** @returns what bake-check says; undefined where the machine does not answer */
export async function runCheck(machine: Machine): Promise<Check | undefined> {
  const ran = await machine.run('/opt/k8s/bin/bake-check');
  if (ran === undefined) return undefined;
  const passed = [...ran.stdout.matchAll(/^ok +(.*)$/gm)].map(([, stage]) => stage ?? '');
  if (ran.exitCode === 0) return { passed, reason: undefined };
  const [, code = 'check-broken', text = ran.stderr] = /^([a-z-]+): (.*)$/m.exec(ran.stderr) ?? [];
  return { passed, reason: { code, text } };
}

async function readFailedUnits(run: Run): Promise<FailedUnit[]> {
  const names = words(await run("systemctl list-units --state=failed --plain --no-legend | cut -d ' ' -f 1"));
  const failed: FailedUnit[] = [];
  for (const name of names) {
    const said = await run(`journalctl --quiet --boot --output=cat --lines=1 _SYSTEMD_UNIT='${name}'`);
    failed.push({ name, said: oneLine(said) });
  }
  return failed;
}

async function readCloudInit(run: Run): Promise<Observed['cloudInit']> {
  const [, status = 'unknown'] = /^status: (.*)$/m.exec(await run('cloud-init status')) ?? [];
  const result = await run('cat /run/cloud-init/result.json');
  if (result === '') return { status, datasource: 'none', errors: [] };
  const { v1 } = JSON.parse(result) as { v1: { datasource: string | null; errors: readonly string[] } };
  return { status, datasource: v1.datasource ?? 'none', errors: v1.errors };
}

async function readFiles(run: Run, placed: readonly PlacedFile[]): Promise<PlacedFile[]> {
  const paths = placed.map(({ path }) => path).join(' ');
  const stats = await run(`stat --format='%n %a %U:%G' ${paths}`);
  const digests = await run(`sha256sum ${paths}`);
  return [...stats.matchAll(/^(\S+) (\d+) (\S+)$/gm)].map(([, path = '', mode = '', owner = '']) => {
    const line = digests.split('\n').find((digest) => digest.endsWith(`  ${path}`));
    return { path, mode, owner, sha256: line?.slice(0, 64) ?? '' };
  });
}

/** cloud-init's stages, and what waits for them. */
const units = [
  'cloud-init-local',
  'cloud-init',
  'cloud-config',
  'cloud-final',
  'containerd',
  'kube-nginx',
  'kubelet',
].map((name) => `${name}.service`);

async function readUnits(run: Run): Promise<Unit[]> {
  const began = Number(await run('systemctl show --property=UserspaceTimestampMonotonic --value'));
  const shown = await run(
    `systemctl show --property=Id --property=ActiveState --property=ExecMainStartTimestampMonotonic ${units.join(' ')}`,
  );
  return shown
    .split('\n\n')
    .map((block) => {
      const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      const at = Number(value('ExecMainStartTimestampMonotonic'));
      return { name: value('Id'), state: value('ActiveState'), at: at === 0 ? Infinity : (at - began) / 1e6 };
    })
    .sort((one, other) => one.at - other.at);
}

function words(text: string): string[] {
  return text.match(/\S+/g) ?? [];
}
