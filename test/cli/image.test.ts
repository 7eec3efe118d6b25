import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import { packerPluginRelease } from '../../src/catalog/packer-plugins.ts';
import { packerPlatform } from '../../src/fetch/fetch-artifacts.ts';
import { copyGuide } from '../support/copy-guide.ts';
import { sha256, withoutScheme, writeSite } from '../support/download-site.ts';
import { writeBusyPacker } from '../support/busy-packer.ts';
import { bakeImage } from '../support/image-command.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What ends before Packer starts, and what happens around it. Real bakes are in test/e2e/image.test.ts.
const image = suite('bake image');
/** Nobody asks it. */
const agent = { SSH_AUTH_SOCK: '/run/ssh-agent' };

/** Runs `bake image` where PATH has nothing but a packer that prints this; none: nothing at all. */
function withPacker(
  printed: string | undefined,
  says: string,
  code: 'packer-unusable' | 'qemu-unusable' = 'packer-unusable',
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      writeSite(folder);
      if (code === 'qemu-unusable') {
        const description = join(folder, 'cluster.yaml');
        writeFileSync(description, readFileSync(description, 'utf8').replace(/^image: .*\n/m, ''));
      }
      mkdirSync(join(folder, 'bin'));
      if (printed !== undefined) {
        writeFileSync(join(folder, 'bin/packer'), `#!/bin/sh\necho '${printed}'\n`, { mode: 0o755 });
      }
      const env = { ...agent, PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') };
      const { exitCode, stderr } = await runBake(['image', 'cluster.yaml'], { cwd: folder, env });
      assert.ok(stderr.startsWith(`error ${code}: ${says}`), stderr);
      assert.equal(exitCode, 3);
      // It is told at once, before anything is downloaded or written.
      for (const name of ['bake.lock', 'cache', 'out', 'image']) assert.ok(!existsSync(join(folder, name)), name);
    });
}

image('without Packer', withPacker(undefined, 'there is no packer on PATH; install 1.11 or later, from https:'));
image("with Debian's Packer", withPacker('Packer v1.6.6', 'the packer on PATH is 1.6.6; install 1.11 or later'));
image('with another program of that name', withPacker('cracklib 2.9', 'the packer on PATH does not say its version'));

const kvm = existsSync('/dev/kvm')
  ? ''
  : '\n  there is no /dev/kvm; bake on a machine that has KVM, or set image.qemu.acc';
image(
  'without QEMU, everything that is missing is told',
  withPacker(
    'Packer v1.11.2',
    'there is no qemu-system-x86_64 on PATH; install QEMU\n' +
      '  there is no qemu-img on PATH; install QEMU\n' +
      `  there is none of xorriso, mkisofs, hdiutil, oscdimg on PATH; install xorriso${kvm}`,
    'qemu-unusable',
  ),
);

image('another architecture: told that it must be emulated, and where its firmware was looked for', () =>
  inTemporaryFolder(async (folder) => {
    copyGuide(folder);
    const other = process.arch === 'arm64' ? 'amd64' : 'arm64';
    appendFileSync(
      join(folder, 'cluster.yaml'),
      `architecture: ${other}\ncontainerd: { version: 1.6.36 }\nrunc: { version: 1.1.4 }\n`,
    );
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/packer'), '#!/bin/sh\necho Packer v1.11.2\n', { mode: 0o755 });
    const env = { PATH: join(folder, 'bin'), PKR_VAR_qemu_efi_firmware_code: '/no/such.fd' };
    const { exitCode, stderr } = await runBake(['image'], { cwd: folder, env });
    assert.equal(exitCode, 3, stderr);
    if (other === 'arm64') {
      assert.match(stderr, /^ {2}there is no \/no\/such\.fd, UEFI firmware; .* in PKR_VAR_qemu_efi_firmware_code$/m);
    }
    assert.match(stderr, new RegExp(`^  kvm runs machines of this processor .* only; bake on ${other}, or set`, 'm'));
  }),
);

image("a plugin's archive that is something else, as the lock has it", () =>
  inTemporaryFolder(async (folder) => {
    writeBusyPacker(folder);
    const { fileName, url, checksums } = packerPluginRelease(
      'qemu',
      packerPlatform() ?? { os: 'linux', architecture: 'amd64' },
    );
    const list = join(folder, 'mirror', withoutScheme(checksums));
    writeFileSync(join(folder, 'mirror', withoutScheme(url)), 'not found');
    writeFileSync(list, `${sha256(Buffer.from('not found'))}  ${fileName}\n${readFileSync(list, 'utf8')}`);
    const env = { ...agent, PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
    const { exitCode, stderr } = await runBake(['image', 'cluster.yaml'], { cwd: folder, env });
    assert.match(stderr, /^error plugin-unusable: packer-plugin-\S+ is no zip archive \(.*run `bake lock --update`$/m);
    assert.equal(exitCode, 3);
    assert.deepEqual(readdirSync(join(folder, 'image')), ['kubernetes-worker.log']);
  }),
);

/** Runs work while a bake is in Packer's hands. */
function whilePackerBuilds(
  work: (folder: string, running: ReturnType<typeof bakeImage>) => Promise<void>,
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      writeBusyPacker(folder);
      const running = bakeImage(folder, [join(folder, 'bin')], [], agent);
      while (!existsSync(join(folder, 'builds')) && running.exitCode === null) await setTimeout(20);
      await work(folder, running);
    });
}

function expectNothingLeft(folder: string): void {
  assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  assert.deepEqual(readdirSync(join(folder, 'image')), ['kubernetes-worker.log']);
}

image(
  'another compile meanwhile takes nothing away, another bake of the same image is refused',
  whilePackerBuilds(async (folder, running) => {
    const env = { ...agent, PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, 'cache') };
    const second = await runBake(['image', 'cluster.yaml'], { cwd: folder, env });
    assert.match(second.stderr, /^error image-busy: another bake makes the same image \(.*image\/\.building-.*; wait/m);
    assert.equal(second.exitCode, 3);
    writeFileSync(join(folder, 'go'), '');
    const { exitCode, stderr } = await running;
    assert.match(stderr, /^error bake-failed: /m);
    assert.equal(exitCode, 3);
    assert.match(readFileSync(join(folder, 'read'), 'utf8'), /^#!/);
    expectNothingLeft(folder);
  }),
);

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  image(
    `${signal}, and again while Packer cleans up: nothing is left`,
    whilePackerBuilds(async (folder, running) => {
      running.kill(signal);
      await setTimeout(300);
      running.kill(signal);
      const { exitCode } = await running;
      assert.equal(exitCode, status);
      expectNothingLeft(folder);
    }),
  );
}

image(
  'what a killed bake has left, the next takes away',
  whilePackerBuilds(async (folder, running) => {
    running.kill('SIGKILL');
    await running;
    const left = () => readdirSync(join(folder, 'tmp')).filter((name) => name.startsWith('bake-image-'));
    assert.equal(left().length, 1);
    writeFileSync(join(folder, 'go'), '');
    assert.equal((await bakeImage(folder, [join(folder, 'bin')], [], agent)).exitCode, 3);
    expectNothingLeft(folder);
  }),
);

for (const [what, options, env, message] of [
  ['the folder for images is a file', ['--image', 'cluster.yaml'], {}, /cannot write .*cluster\.yaml: .*--image$/m],
  ['there is no folder for temporary files', [], { TMPDIR: '/no/such' }, /cannot write \/no\/such: .*with TMPDIR$/m],
] as const) {
  image(`${what}: told as such`, () =>
    inTemporaryFolder(async (folder) => {
      writeBusyPacker(folder);
      const { exitCode, stderr } = await bakeImage(folder, [join(folder, 'bin')], options, { ...agent, ...env });
      assert.match(stderr, /^error output-unwritable: /m);
      assert.match(stderr, message);
      assert.equal(exitCode, 3);
    }),
  );
}

/**
 * The beginning of a key as OpenSSH writes it, without its tools, which a fresh machine lacks.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
function opensshKey(cipher: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(cipher.length);
  const start = Buffer.concat([Buffer.from('openssh-key-v1\0'), length, Buffer.from(cipher)]).toString('base64');
  const line = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----\n`;
  return `${line('BEGIN')}${start}\n${line('END')}`;
}

for (const [what, argv, key, says] of [
  ['that is not there', ['--ssh-key', 'key'], undefined, /\/key does not exist/],
  ['that is the public one', ['--ssh-key', 'key'], 'ssh-ed25519 AAAA test', /\/key is no private key; name the file/],
  [
    'with a passphrase',
    ['--ssh-key', 'key'],
    opensshKey('aes256-ctr'),
    /\/key has a passphrase, which Packer does not ask for/,
  ],
  ['that nobody named, and no agent', [], undefined, /there is no SSH agent \(SSH_AUTH_SOCK is not set\)/],
] as const) {
  image(`a key ${what}: told before anything is fetched`, () =>
    inTemporaryFolder(async (folder) => {
      writeBusyPacker(folder);
      if (key !== undefined) writeFileSync(join(folder, 'key'), key);
      const { exitCode, stderr } = await bakeImage(folder, [join(folder, 'bin')], argv, { SSH_AUTH_SOCK: '' });
      assert.match(stderr, /^error ssh-key-unusable: /);
      assert.match(stderr, says);
      assert.equal(exitCode, 3);
      assert.ok(!existsSync(join(folder, 'cache')));
    }),
  );
}

image('images below the output, which the next compile would remove, are refused', () =>
  inTemporaryFolder(async (folder) => {
    writeBusyPacker(folder);
    const { exitCode, stderr } = await bakeImage(folder, [join(folder, 'bin')], ['--image', 'out/image']);
    assert.match(
      stderr,
      /^error output-unwritable: .*out\/image is where compile writes, .* name another folder with --image$/m,
    );
    assert.equal(exitCode, 2);
  }),
);

image('a description with mistakes is told as such', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, 'cluster.yaml'), 'version: 1\n');
    const { exitCode, stderr } = await runBake(['image'], { cwd: folder });
    assert.match(stderr, /^cluster\.yaml:1:1 error missing-key: /);
    assert.equal(exitCode, 1);
  }),
);

image.run();
