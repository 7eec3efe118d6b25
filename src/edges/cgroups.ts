import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { holdMark, isAbandoned, markIn, releaseMark } from './run-mark.ts';

/** Where this machine has the hierarchies of cgroup v1 mounted; none on a machine that has cgroup v2 only. */
export const hierarchies = mounted('cgroup');

function mounted(type: string): readonly string[] {
  if (!existsSync('/proc/mounts')) return [];
  const lines = readFileSync('/proc/mounts', 'utf8').matchAll(new RegExp(`^\\S+ (/sys/fs/cgroup\\S*) ${type} `, 'gm'));
  return [...lines].map(([, path]) => path ?? '');
}

const PREFIX = 'bake-node-';

/** A name for cgroups that nobody has. What runs that are gone have left is removed, as far as it can be. */
export function newCgroupName(): string {
  const names = new Set(allHierarchies().flatMap((hierarchy) => readdirSync(hierarchy)));
  for (const name of names) {
    const mark = markIn(name, PREFIX);
    // One of another container's is that one's to remove.
    if (mark !== undefined && isAbandoned(mark, () => 0, Infinity)) removeLeftover(name);
  }
  return PREFIX + holdMark();
}

/** What others have left does not keep this run from its work; the next one tries again. */
function removeLeftover(name: string): void {
  try {
    removeEverywhere(name);
  } catch {
    // A process of it lives on.
  }
}

/** Removes the cgroups of that name, in every hierarchy; the kernel needs a moment after the end of their processes. */
export async function removeCgroups(name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      removeEverywhere(name);
      break;
    } catch (error) {
      if (attempt === 50) throw error;
      await setTimeout(100);
    }
  }
  releaseMark(name.slice(PREFIX.length));
}

function removeEverywhere(name: string): void {
  for (const hierarchy of allHierarchies()) removeTree(join(hierarchy, name));
}

function allHierarchies(): readonly string[] {
  return [...hierarchies, ...mounted('cgroup2')];
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
