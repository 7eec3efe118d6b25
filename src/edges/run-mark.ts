import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { kill, pid } from 'node:process';

/** What a mark looks like inside a file name: process id, when that process started, where it runs, a counter. */
export const markPattern = String.raw`\d+\.\d+\.[0-9a-f]{6}\.\d+`;

/**
 * The mark at the end of a name that some run made.
 * @param kind pattern of what may stand between the prefix and the mark
 */
export function markIn(name: string, prefix: string, kind = ''): string | undefined {
  if (!name.startsWith(prefix)) return undefined;
  return new RegExp(`^${kind}(${markPattern})$`).exec(name.slice(prefix.length))?.[1];
}

const held = new Set<string>();
let counter = 0;

/**
 * A name for one piece of work of this process. Put into the names of what is made on the way, it lets a later run tell
 * the leftovers of a killed run from the work of one that is still alive, and remove only the former.
 */
export function holdMark(): string {
  const mark = [pid, lifeOf(pid)?.start ?? '0', here(), counter++].join('.');
  held.add(mark);
  return mark;
}

/** The work is done: whatever still carries the mark is a leftover. */
export function releaseMark(mark: string): void {
  held.delete(mark);
}

/**
 * Whether nobody works under that mark any more. A process of another machine or container cannot be asked; its work
 * counts as abandoned once it is older than `patienceMs`.
 * @param age milliseconds since the work was last seen to go on
 */
export function isAbandoned(mark: string, age: () => number, patienceMs: number): boolean {
  const [id, start, place] = mark.split('.');
  if (place !== here()) return age() > patienceMs;
  if (Number(id) === pid) return !held.has(mark);
  try {
    kill(Number(id), 0);
  } catch (error) {
    // EPERM: it lives, as another user.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const life = lifeOf(Number(id));
  return life !== undefined && (life.zombie || life.start !== start);
}

/** Milliseconds since a file or folder was last written to; one that is gone is as old as can be. */
export function ageOf(path: string): number {
  return Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

/**
 * Process ids come back, in a container even at the next run; together with the start (clock ticks after boot) they
 * do not. A zombie is a killed process whose parent has not looked yet. Undefined where there is no /proc (macOS).
 * https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
function lifeOf(id: number): { start: string; zombie: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    // The name of the command, in parentheses, may hold anything; behind it stand the fields from the third on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { start: fields[19] ?? '0', zombie: fields[0] === 'Z' };
  } catch {
    return undefined;
  }
}

let place: string | undefined;

/** Process ids mean something among the processes of one machine, and on Linux of one PID namespace, only. */
function here(): string {
  return (place ??= createHash('sha256').update(`${hostname()} ${pidNamespace()}`).digest('hex').slice(0, 6));
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
