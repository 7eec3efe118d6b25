import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { hierarchies, newCgroupName, removeCgroups } from '../../src/edges/cgroups.ts';
import { testUnless } from '../support/skip.ts';

// In a hierarchy of this machine. That nodes leave none is in test/e2e/rehearse.test.ts.
const cgroups = suite('cgroups');
const hierarchy = hierarchies.find((path) => path.endsWith('/pids'));
const missing =
  hierarchy === undefined || !isWritable(hierarchy) ? 'there is no cgroup that this user may make' : undefined;

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const at = (name: string) => join(hierarchy ?? '', name);

/** As a killed run leaves it: its mark is of a process that started at another time than the one with its id now. */
function leftover(place = /\.[0-9a-f]{6}\./.exec(newCgroupName())?.[0] ?? ''): string {
  const name = `bake-node-${process.ppid}.1${place}${counter++}`;
  mkdirSync(at(name));
  return name;
}
let counter = 0;

testUnless(cgroups, missing, 'what a run that is gone has left is removed, and what may be in use is not', async () => {
  const held = newCgroupName();
  mkdirSync(at(held));
  const ours = leftover();
  const otherContainers = leftover('.000000.');
  newCgroupName();
  assert.deepEqual(
    [held, ours, otherContainers].map((name) => existsSync(at(name))),
    [true, false, true],
  );

  await removeCgroups(held);
  assert.ok(!existsSync(at(held)));
  rmdirSync(at(otherContainers));
});

testUnless(cgroups, missing, 'a leftover in which a process lives on is left, and nothing ends by it', async () => {
  const name = leftover();
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  try {
    writeFileSync(join(at(name), 'cgroup.procs'), String(child.pid));
    newCgroupName();
    assert.ok(existsSync(at(name)));
  } finally {
    child.kill();
    await once(child, 'exit');
  }
  await removeCgroups(name);
  assert.ok(!existsSync(at(name)));
});

cgroups.run();
