import assert from 'node:assert/strict';
import { appendFileSync, cpSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runBake } from '../support/run-bake.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What ends before anything boots. Nodes that boot are in test/e2e/rehearse.test.ts.
const rehearse = suite('bake rehearse');
const guide = join(import.meta.dirname, '../../examples/guide');
const isRoot = process.getuid?.() === 0;

/** @param more of the description */
function refuses(words: string, exit: number, says: RegExp, more = ''): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      cpSync(guide, folder, { recursive: true });
      appendFileSync(join(folder, 'cluster.yaml'), more);
      const before = readdirSync(folder);
      const argv = ['rehearse', ...words.split(' ')];
      const { exitCode, stdout, stderr } = await runBake(argv, { cwd: folder, env: { PATH: folder } });
      assert.match(stderr, says);
      assert.deepEqual([exitCode, stdout], [exit, '']);
      assert.deepEqual(readdirSync(folder), before);
    });
}

rehearse('a node that is not planned', refuses('node3', 2, /^error unknown-node: .* node3; did you mean node1\?$/m));
rehearse(
  'no description',
  refuses('node1 -f none.yaml', 3, /^error description-unreadable: none\.yaml does not exist/),
);
rehearse('a wrong description, as one JSON document', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'cluster.yaml'), '{ version: 1, nods: [] }');
    const { exitCode, stdout, stderr } = await runBake(['rehearse', 'node1', '--output', 'json'], { cwd: folder });
    const { good, diagnostics } = JSON.parse(stdout) as { good: boolean; diagnostics: { code: string }[] };
    assert.ok(
      diagnostics.some(({ code }) => code === 'unknown-key'),
      stdout,
    );
    assert.deepEqual([exitCode, good, stderr], [1, false, '']);
  }),
);
rehearse(
  'without the programs, everything that is missing is told',
  refuses(
    'node1',
    3,
    isRoot
      ? /^error rehearsal-unusable: there is no systemd-nspawn on PATH; install systemd-container\n {2}there is no ip on PATH; install iproute2\n[^]*\n {2}and there is no qemu-system-x86_64 on PATH, .*; install QEMU$/m
      : /^error rehearsal-unusable: systemd-nspawn runs as root only\n {2}and there is no qemu-system-x86_64 on PATH, /m,
  ),
);

testUnless(
  rehearse,
  isRoot && platform() === 'linux' ? undefined : 'only root on Linux rehearses',
  'no folder for temporary files',
  async () => {
    const { TMPDIR } = process.env;
    await inTemporaryFolder(async (folder) => {
      cpSync(guide, folder, { recursive: true });
      // None is run.
      for (const name of ['systemd-nspawn', 'ip', 'nsenter', 'setpriv', 'unshare']) {
        symlinkSync('/bin/true', join(folder, name));
      }
      process.env['TMPDIR'] = join(folder, 'none');
      const { exitCode, stdout, stderr } = await runBake(['rehearse', 'node1'], { cwd: folder, env: { PATH: folder } });
      assert.match(
        stderr,
        /^error output-unwritable: cannot write .*none: ENOENT: .*; name another folder with TMPDIR$/m,
      );
      assert.deepEqual([exitCode, stdout], [3, '']);
    }).finally(() => {
      if (TMPDIR === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = TMPDIR;
    });
  },
);

const other = arch() === 'x64' ? 'arm64' : 'amd64';
rehearse(
  'nodes of another architecture than this machine',
  refuses(
    'node1',
    3,
    /^error rehearsal-unusable: the nodes are (arm|amd)64, and this/m,
    `architecture: ${other}\ncontainerd: { version: 1.6.0 }\n`,
  ),
);

rehearse('by QEMU, a folder is no image; when QEMU ends, what it has said is told', () =>
  inTemporaryFolder(async (folder) => {
    cpSync(guide, folder, { recursive: true });
    const program = '#!/bin/sh\necho no such machine >&2\n';
    writeFileSync(join(folder, 'qemu-system-x86_64'), program, { mode: 0o755 });
    const refused = async (image: string, says: RegExp) => {
      const options = { cwd: folder, env: { PATH: folder } };
      const { exitCode, stdout, stderr } = await runBake(['rehearse', 'node1', '--image', image], options);
      assert.match(stderr, / as node1 by QEMU \(.*\), which may take minutes, with a CA /);
      assert.match(stderr, says);
      assert.deepEqual([exitCode, stdout], [3, '']);
    };
    await refused('.', /^error image-unreadable: QEMU boots a disk image, and .* is a folder$/m);
    await refused('ca.pem', /^error rehearsal-unusable: the machine ended .*: no such machine$/m);
  }),
);

rehearse.run();
