import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import { copyGuide } from '../support/copy-guide.ts';
import { runBake } from '../support/run-bake.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What ends before anything boots. Nodes that boot are in test/e2e/rehearse.test.ts.
const rehearse = suite('bake rehearse');
const main = join(import.meta.dirname, '../../dist/main.js');
const isRoot = process.getuid?.() === 0;

/** @param more of the description @param env more of the environment */
function refuses(words: string, exit: number, says: RegExp, more = '', env = {}): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      copyGuide(folder);
      appendFileSync(join(folder, 'cluster.yaml'), more);
      const before = readdirSync(folder);
      const argv = ['rehearse', ...words.split(' ')];
      const { exitCode, stdout, stderr } = await runBake(argv, { cwd: folder, env: { PATH: folder, ...env } });
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
rehearse(
  'the description in place of the node',
  refuses('my/cluster.yaml', 2, /^error unknown-node: my\/cluster\.yaml is a file, and no node; .* by -f$/m),
);
rehearse(
  'an image that is not there, whatever else is not there either',
  refuses('node1', 3, /^error image-unreadable: .*\/image\/.*\.qcow2 does not exist; `bake image` makes one/m),
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
    'node1 --image ca.pem',
    3,
    isRoot
      ? /^error rehearsal-unusable: there is no systemd-nspawn on PATH; install systemd-container\n {2}there is no ip on PATH; install iproute2\n[^]*\n {2}and there is no qemu-system-x86_64 on PATH; QEMU boots .*: install it$/m
      : /^error rehearsal-unusable: systemd-nspawn runs as root only\n {2}and there is no qemu-system-x86_64 on PATH; /m,
  ),
);

testUnless(
  rehearse,
  isRoot && platform() === 'linux' ? undefined : 'only root on Linux rehearses',
  'no folder for temporary files',
  async () => {
    const { TMPDIR } = process.env;
    await inTemporaryFolder(async (folder) => {
      copyGuide(folder);
      // None is run.
      for (const name of ['systemd-nspawn', 'ip', 'nsenter', 'setpriv', 'unshare']) {
        symlinkSync('/bin/true', join(folder, name));
      }
      process.env['TMPDIR'] = join(folder, 'none');
      const { exitCode, stdout, stderr } = await runBake(['rehearse', 'node1', '--image', 'ca.pem'], {
        cwd: folder,
        env: { PATH: folder },
      });
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
    'node1 --image ca.pem',
    3,
    /^error rehearsal-unusable: the nodes are (arm|amd)64, and this/m,
    `architecture: ${other}\ncontainerd: { version: 1.6.0 }\n`,
  ),
);

rehearse(
  'by QEMU, nodes of arm64 want firmware',
  refuses(
    'node1 --image ca.pem',
    3,
    /^error rehearsal-unusable: [^]*\n {2}and there is no \/no\/such\.fd, UEFI firmware; .* in PKR_VAR_qemu_efi_firmware_code$/m,
    'architecture: arm64\ncontainerd: { version: 1.6.0 }\n',
    { PKR_VAR_qemu_efi_firmware_code: '/no/such.fd' },
  ),
);

rehearse('by QEMU, a folder is no image; when QEMU ends, what it has said is told', () =>
  inTemporaryFolder(async (folder) => {
    copyGuide(folder);
    const program = '#!/bin/sh\necho no such machine >&2\n';
    writeFileSync(join(folder, 'qemu-system-x86_64'), program, { mode: 0o755 });
    const refused = async (image: string, says: RegExp) => {
      const options = { cwd: folder, env: { PATH: folder } };
      const { exitCode, stdout, stderr } = await runBake(['rehearse', 'node1', '--image', image], options);
      assert.match(stderr, / as node1 by QEMU \(.*\), which may take minutes, with a CA /);
      assert.match(stderr, says);
      assert.deepEqual([exitCode, stdout], [3, '']);
    };
    symlinkSync('loop', join(folder, 'loop'));
    const { exitCode, stderr } = await runBake(['rehearse', 'node1', '--image', 'loop'], { cwd: folder });
    assert.match(stderr, /^error image-unreadable: cannot read .*loop: ELOOP.*; make it readable for you$/m);
    assert.equal(exitCode, 3);
    await refused('.', /^error image-unreadable: QEMU boots a disk image, and .* is a folder$/m);
    await refused('ca.pem', /^error rehearsal-unusable: the machine ended .*: no such machine$/m);
    writeFileSync(join(folder, 'qemu-system-x86_64'), '#!/bin/sh\n');
    await refused(
      'ca.pem',
      /^error rehearsal-unusable: the machine ended .*: the node has rebooted, or turned itself off$/m,
    );
  }),
);

/** As its own process, which finds its programs in a folder and leaves its temporary files there. */
function startBake(words: readonly string[], folder: string) {
  const env = { PATH: folder, TMPDIR: folder };
  return execa(process.execPath, [main, ...words], { cwd: folder, env, extendEnv: false, reject: false });
}

interface Hung {
  readonly bake: ReturnType<typeof startBake>;
  readonly folder: string;
  /** Of QEMU, once it was asked something. */
  readonly pid: number;
}

/** Has a QEMU that says it is ready, and answers nothing. */
function withHungQemu(words: readonly string[], setpriv: string | undefined, test: (hung: Hung) => Promise<void>) {
  return () =>
    inTemporaryFolder(async (folder) => {
      copyGuide(folder);
      const lines = [
        '#!/bin/sh',
        'test "$1" != --version || exit 0',
        `echo $$ >${folder}/pid`,
        'echo ready',
        'read -r command',
        `/bin/mv ${folder}/pid ${folder}/asked`,
        'exec /bin/sleep 60',
      ];
      writeFileSync(join(folder, 'qemu-system-x86_64'), `${lines.join('\n')}\n`, { mode: 0o755 });
      if (setpriv !== undefined) symlinkSync(setpriv, join(folder, 'setpriv'));
      const bake = startBake(['rehearse', 'node1', '--image', 'ca.pem', ...words], folder);
      while (!existsSync(join(folder, 'asked')) && bake.exitCode === null) await setTimeout(20);
      await test({ bake, folder, pid: Number(readFileSync(join(folder, 'asked'), 'utf8')) });
    });
}

function expectNothingLeft({ folder, pid }: Hung): void {
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('bake-rehearsal-')),
    [],
  );
}

rehearse(
  'a node that hangs is neither good nor bad when the time is up',
  withHungQemu(['--timeout', '2s'], undefined, async (hung) => {
    const { exitCode, stderr } = await hung.bake;
    assert.match(stderr, /^error rehearsal-incomplete: node1: .*--timeout/m);
    assert.equal(exitCode, 3);
    expectNothingLeft(hung);
  }),
);

rehearse(
  'Ctrl-C ends a node that hangs',
  withHungQemu([], undefined, async (hung) => {
    hung.bake.kill('SIGINT');
    const { exitCode, stdout } = await hung.bake;
    assert.deepEqual([exitCode, stdout], [130, '']);
    expectNothingLeft(hung);
  }),
);

const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
testUnless(
  rehearse,
  setpriv !== undefined && platform() === 'linux' ? undefined : 'there is no setpriv',
  'not even a bake that is killed leaves QEMU behind',
  withHungQemu([], setpriv, async ({ bake, pid }) => {
    assert.ok(existsSync(`/proc/${pid}/exe`));
    bake.kill('SIGKILL');
    await bake;
    const until = performance.now() + 5000;
    while (existsSync(`/proc/${pid}/exe`) && performance.now() < until) await setTimeout(20);
    assert.ok(!existsSync(`/proc/${pid}/exe`));
  }),
);

rehearse.run();
