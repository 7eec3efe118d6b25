import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeOutput } from '../../src/edges/write-output.ts';
import { readTree } from './read-tree.ts';
import type { OutputFile } from '../../src/compile/output-file.ts';

/** Writes a made-up output whose files all say which one it is. */
export function writeSample(
  out: string,
  which: string,
  nodes = 2,
  signal = new AbortController().signal,
): Promise<void> {
  return writeOutput(out, sampleFiles(which, nodes), { bake: which, input: { 'cluster.yaml': 'ab' } }, signal);
}

export function* sampleFiles(which: string, nodes: number): Iterable<OutputFile> {
  yield { path: 'packer/scripts/prepare.sh', mode: 0o755, content: `#!/bin/sh\n# ${which}\n` };
  for (let node = 1; node <= nodes; node++) {
    yield { path: `nodes/node${node}/user-data`, mode: 0o600, content: `${which}\n`.repeat(500) };
    yield { path: `nodes/node${node}/meta-data`, mode: 0o644, content: which };
  }
}

/** Checks that a folder holds exactly the files that its bake.json names; returns which output it is. */
export function expectWholeOutput(out: string): string {
  const tree = readTree(out);
  const record = JSON.parse(tree.get('bake.json')?.toString() ?? '') as { bake: string; files: Record<string, string> };
  tree.delete('bake.json');
  const digests = [...tree].map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]);
  assert.deepEqual(Object.fromEntries(digests), record.files, join(out, 'bake.json'));
  return record.bake;
}
