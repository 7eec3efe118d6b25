import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { pid } from 'node:process';
import { setTimeout } from 'node:timers/promises';

/** Where this machine has the hierarchies of cgroup v1 mounted; none on a machine that has cgroup v2 only. */
export const hierarchies = mounted('cgroup');

function mounted(type: string): readonly string[] {
  if (!existsSync('/proc/mounts')) return [];
  const lines = readFileSync('/proc/mounts', 'utf8').matchAll(new RegExp(`^\\S+ (/sys/fs/cgroup\\S*) ${type} `, 'gm'));
  return [...lines].map(([, path]) => path ?? '');
}

let count = 0;

/** A name for cgroups that nobody has. What processes that were killed have left under such names is removed. */
export async function newCgroupName(): Promise<string> {
  const [hierarchy] = [...hierarchies, ...mounted('cgroup2')];
  const names = hierarchy === undefined ? [] : readdirSync(hierarchy);
  for (const name of names) {
    const [, maker] = /^bake-node-(\d+)-\d+$/.exec(name) ?? [];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) await removeCgroups(name);
  }
  return `bake-node-${pid}-${++count}`;
}

/** Removes what the processes in a cgroup of that name have left, in every hierarchy; the kernel needs a moment after their end. */
export async function removeCgroups(name: string): Promise<void> {
  const folders = [...hierarchies, ...mounted('cgroup2')].map((hierarchy) => join(hierarchy, name));
  for (let attempt = 1; ; attempt++) {
    try {
      folders.forEach(removeTree);
      return;
    } catch (error) {
      if (attempt === 50) throw error;
      await setTimeout(100);
    }
  }
}

/** A cgroup's files cannot be removed, and go with it. */
function removeTree(folder: string): void {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const entry of entries) if (entry.isDirectory()) removeTree(join(folder, entry.name));
  rmdirSync(folder);
}
