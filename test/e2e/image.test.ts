import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import { parse, stringify } from 'yaml';
import { bakeImage, pauseImage, runBuilt, withMirror } from '../support/image-command.ts';
import { mirrorUpstream } from '../support/mirror-upstream.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { missingForBake, startRealBake, type RealBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// `bake image` from its command line to an image, with real Packer and a booted Debian 12. All that it fetches comes from
// a folder: no other address is asked.
const image = suite('bake image');
const packer = await tryPart('packer');
const upstream = await tryPart('upstream-mirror');

let machine: RealBake;
let folder = '';
image.before(async () => {
  if (missingForBake !== undefined) return;
  machine = await startRealBake();
  await machine.compile({ sysprep: true });
  folder = dirname(machine.out);
  await mirrorUpstream({ upstream: upstream.folder, packer: packer.folder }, join(folder, 'mirror'));
  await writeImageArchive(join(folder, 'pause.tar'), pauseImage);
  mkdirSync(join(folder, 'tmp'));
});
image.after(() => (missingForBake === undefined ? machine.end() : undefined));

/** The description of the machine, with a script of the user's. */
function describe(hook: string): void {
  writeFileSync(join(folder, 'agent.sh'), `#!/bin/bash\n${hook}\n`);
  const description = parse(readFileSync(join(folder, 'cluster.yaml'), 'utf8')) as Record<string, object>;
  const image = { ...description['image'], scripts: ['agent.sh'] };
  const mirror = `file://${join(folder, 'mirror')}`;
  writeFileSync(join(folder, 'cluster.yaml'), stringify(withMirror({ ...description, image }, mirror)));
}

const bake = (...options: readonly string[]) =>
  bakeImage(folder, [packer.folder], ['--ssh-key', machine.key, ...options]);

async function says(command: string): Promise<string> {
  const { exitCode, all } = await machine.node.run(command);
  assert.equal(exitCode, 0, `${command}: ${all}`);
  return all;
}

/** Nothing here of a build that came to nothing: no key, no half image. */
function expectNothingLeftHere(): void {
  assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  assert.deepEqual(readdirSync(join(folder, 'image')), ['kubernetes-worker.log']);
}

async function expectNothingLeftThere(): Promise<void> {
  assert.equal(await says('ls -A /var/tmp | grep -v systemd-private; command -v gcc make; true'), '');
}

testUnless(image, missingForBake, 'a script that fails: what it said, the log, and nothing left', async () => {
  describe('echo "the licence server does not answer" >&2; exit 7');
  const { exitCode, stderr } = await bake();
  const code = 'bake-failed';
  assert.match(
    stderr,
    new RegExp(`^error ${code}: .*run-hooks\\.sh: failed; all that Packer said is in .*\\.log$`, 'm'),
  );
  assert.match(stderr, /^ {2}exit code 7 from: .*hook-1-agent\.sh\n {2}the licence server does not answer$/m);
  assert.equal(exitCode, 3);
  const log = join(folder, 'image/kubernetes-worker.log');
  assert.match(readFileSync(log, 'utf8').slice(-5000), /the licence server does not answer/);
  assert.equal(statSync(log).mode & 0o777, 0o600);
  expectNothingLeftHere();
  await expectNothingLeftThere();
});

testUnless(
  image,
  missingForBake,
  'an image that is not as it should be: the last step says all that is wrong',
  async () => {
    await says('mkdir /var/kept && cp -a /home/debian/.ssh /etc/ssh /var/lib/cloud /var/kept');
    const pem = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    describe(
      `systemctl disable ssh-host-keys.service; echo '${pem}' >/root/key.pem; chmod 0777 /etc/kubernetes/cert
     systemd-run --quiet --unit=broken false; echo '/swap none swap sw 0 0' >>/etc/fstab`,
    );
    await machine.node.run('systemd-run --quiet --unit=broken-before false');
    const { exitCode, stderr } = await bake();
    assert.equal(exitCode, 3);
    assert.deepEqual(
      stderr
        .slice(stderr.indexOf('not so: '))
        .trimEnd()
        .split('\n')
        .map((line) => line.trim().replaceAll(/ +/g, ' '))
        .slice(0, -1),
      [
        'not so: ssh-host-keys.service is enabled',
        'disabled',
        'not so: no unit has failed in the bake',
        'broken.service loaded failed failed /usr/bin/false',
        "not so: /etc/kubernetes/cert is a folder with mode 0755 of root's",
        'not so: fstab brings no swap',
        'not so: the image holds no private key',
        '/root/key.pem',
      ],
    );
    // It has no identity any more: nobody could log in, to try again.
    await says(
      'cp -a /var/kept/.ssh /home/debian; cp -a /var/kept/ssh /etc; cp -a /var/kept/cloud /var/lib; rm -r /var/kept',
    );
    await says('rm /root/key.pem; systemctl reset-failed; sed -i /swap/d /etc/fstab');
    expectNothingLeftHere();
    await expectNothingLeftThere();
  },
);

testUnless(
  image,
  missingForBake,
  'Ctrl-C: nothing is left here; what is left on a machine that exists, the next bake takes away',
  async () => {
    const running = bake();
    for await (const line of running.iterable({ from: 'stderr' })) {
      // A phase is told when it ends; the one behind it runs.
      if (line.endsWith('  install-packages')) running.kill('SIGINT');
    }
    const { exitCode, stderr } = await running;
    assert.match(stderr, /build-nginx {2}interrupted$/m);
    assert.equal(exitCode, 130);
    expectNothingLeftHere();
  },
);

testUnless(
  image,
  missingForBake,
  'then it works: phases, a bill of materials, and the image as described',
  async () => {
    describe('echo licensed >/etc/agent');
    // Over an air gap: with the bundle and nothing else.
    const fetch = async (...argv: readonly string[]) => {
      const { exitCode, stderr } = await runBuilt(folder, [], ['fetch', ...argv]);
      assert.equal(exitCode, 0, stderr);
    };
    await fetch('--pack', 'bundle.tar');
    for (const gone of ['mirror', 'cache']) rmSync(join(folder, gone), { recursive: true });
    await fetch('--from', 'bundle.tar');
    const { exitCode, stdout, stderr } = await bake('--json');
    assert.equal(exitCode, 0, stderr);
    const told = JSON.parse(stdout) as { good: boolean; seconds: number; phases: { name: string; seconds: number }[] };
    assert.ok(told.good);
    const phases = told.phases.map(({ name }) => name);
    for (const name of ['packer init', 'upload kubelet', 'build-nginx', 'run-hooks', 'test-image']) {
      assert.ok(phases.includes(name), phases.join());
      assert.match(stderr, new RegExp(`^ +[0-9.]+ s  ${name}$`, 'm'));
    }
    console.log(`  baked in ${told.seconds.toFixed(0)} s`);

    assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
    assert.deepEqual(readdirSync(join(folder, 'image')).sort(), [
      'kubernetes-worker.cdx.json',
      'kubernetes-worker.log',
    ]);
    await expectNothingLeftThere();
    assert.equal(await says('cat /etc/agent'), 'licensed');
    // The bake that was cut off had stopped it.
    assert.equal(await says('systemctl is-active apt-daily.timer; ls -A /var/lib/bake 2>/dev/null || true'), 'active');

    // Input, image and node lead to each other.
    const lock = createHash('sha256')
      .update(readFileSync(join(folder, 'bake.lock')))
      .digest('hex');
    assert.match(
      await says('cat /etc/bake-release'),
      new RegExp(`^KUBELET_VERSION=1\\.18\\.6\\n(.*\\n)*LOCK_SHA256=${lock}$`, 'm'),
    );
    const bill = JSON.parse(readFileSync(join(folder, 'image/kubernetes-worker.cdx.json'), 'utf8')) as {
      metadata: { component: { properties: { name: string; value: string }[] } };
      components: { name: string; version: string }[];
    };
    const { properties } = bill.metadata.component;
    assert.ok(properties.some(({ name, value }) => name === 'bake:input:bake.lock' && value === lock));
    const installed = await says("dpkg-query --show --showformat '${Version}' systemd");
    const versions = new Map(bill.components.map(({ name, version }) => [name, version]));
    assert.deepEqual([versions.get('kubelet'), versions.get('systemd')], ['1.18.6', installed]);
  },
);

testUnless(image, missingForBake, 'the pause image is in it, under its name, and held', async () => {
  await says('systemctl start containerd.service');
  const listed = await says(`/opt/k8s/bin/ctr -n k8s.io images list name==${pauseImage}`);
  assert.match(listed, /io\.cri-containerd\.pinned=pinned/);
  await says('systemctl stop containerd.service');
});

image.run();
