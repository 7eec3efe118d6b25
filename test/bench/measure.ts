import { spawnSync } from 'node:child_process';

/** One run of a command as a process of its own. */
export interface Run {
  readonly seconds: number;
  /** Of the command itself, without its children; 0 for what is not Node. */
  readonly peakMiB: number;
}

// Node's own figure, written to descriptor 3 by the process that is measured when it ends.
const reportPeak = `data:text/javascript,${encodeURIComponent(
  "import { writeSync } from 'node:fs'; process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));",
)}`;

export function runOnce(command: readonly string[], cwd: string): Run {
  const [program, ...args] = command as [string, ...string[]];
  const isNode = program === process.execPath;
  const start = process.hrtime.bigint();
  const result = spawnSync(program, isNode ? ['--import', reportPeak, ...args] : args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (result.status !== 0) throw new Error(`${command.join(' ')} failed: ${String(result.stderr)}`);
  return { seconds, peakMiB: isNode ? Number(String(result.output[3])) / 1024 : 0 };
}

export interface Contender {
  readonly name: string;
  /** Puts the folder into the state that the command starts from; not measured. */
  readonly prepare: () => void;
  readonly command: readonly string[];
  readonly cwd: string;
  /** Fewer rounds for what takes minutes. */
  readonly rounds?: number;
}

/** Runs every contender in turn, several rounds, so that what the machine does besides falls on all alike. */
export function interleave(contenders: readonly Contender[], rounds: number): Map<string, Run[]> {
  const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, prepare, command, cwd, rounds: own = rounds } of contenders) {
      if (round >= own) continue;
      prepare();
      runs.get(name)?.push(runOnce(command, cwd));
    }
  }
  return runs;
}

export function minimum(runs: readonly Run[]): number {
  return Math.min(...runs.map(({ seconds }) => seconds));
}

export function median(runs: readonly Run[]): number {
  const sorted = runs.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
