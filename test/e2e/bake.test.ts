import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { missingForBake, startRealBake, type RealBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';

// Packer 1.11 bakes a booted Debian 12 over SSH, with its null builder. The machine reaches an apt mirror and nothing else.
// Its faults come first, and the bake that works is the retry of each of them. crictl is a script: it cannot be had here.
const bake = suite('bake');

let machine: RealBake;
bake.before(async () => {
  if (missingForBake !== undefined) return;
  machine = await startRealBake();
  await machine.compile();
});
bake.after(() => (missingForBake === undefined ? machine.end() : undefined));

/** Runs a command on the machine; fails with what it said when it fails. */
async function says(command: string): Promise<string> {
  const { exitCode, all } = await machine.node.run(command);
  assert.equal(exitCode, 0, `${command}: ${all}`);
  return all;
}

/** What the machine has that a bake changes: whoever tries again must find it as it was. */
const stateOfMachine =
  'ls -A /var/tmp | grep -v systemd-private; command -v gcc make; ls -A /var/lib/bake 2>/dev/null; systemctl list-units --failed --no-legend; ' +
  'systemctl is-active apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; ' +
  'systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service';
const untouched = 'active\nactive\nactive\nenabled\nenabled\nenabled';

/** Builds, and expects it to fail with a text that says why, and with the machine left as it was. */
async function expectFailure(...reasons: readonly RegExp[]): Promise<void> {
  const { exitCode, all, seconds } = await machine.build();
  assert.equal(exitCode, 1, all);
  for (const reason of reasons) assert.ok(reason.test(all), `${reason.source} is not in\n${all}`);
  assert.equal(await says(stateOfMachine), untouched);
  console.log(`  refused after ${seconds.toFixed(0)} s`);
}

testUnless(
  bake,
  missingForBake,
  'a tampered artifact and a truncated one are refused, by name and both digests',
  async () => {
    const runc = join(machine.artifacts, 'runc');
    const cni = join(machine.artifacts, 'cni-plugins.tgz');
    const good = [readFileSync(runc), readFileSync(cni)] as const;
    const tampered = Buffer.from(good[0]);
    tampered[tampered.length - 1] = 255 - (tampered[tampered.length - 1] ?? 0);
    writeFileSync(runc, tampered);
    truncateSync(cni, 1_000_000);
    const digests = ' +expected SHA-256 [0-9a-f]{64}\\n.* +got +[0-9a-f]{64}\\n';
    await expectFailure(
      new RegExp(`runc is not the file that was meant, .*/v[^ ]*/runc\\.amd64\\n.*${digests}`),
      new RegExp(`cni-plugins\\.tgz is not the file that was meant, .*\\.tgz\\n.*${digests}`),
    );
    writeFileSync(runc, good[0]);
    writeFileSync(cni, good[1]);
  },
);

testUnless(bake, missingForBake, 'a disk without room for the artifacts is told before they are sent', async () => {
  await says('mount -t tmpfs -o mode=1777,size=100m none /var/tmp');
  await expectFailure(/the bake needs \d+ MiB below \/var\/tmp, where 100 are free/);
  await says('umount /var/tmp');
});

testUnless(bake, missingForBake, 'a script that fails in the middle, since the disk is full there', async () => {
  await says('mkdir -p /opt && mount -t tmpfs -o size=1m none /opt');
  await expectFailure(/No space left on device/);
  await says('umount /opt');
});

testUnless(bake, missingForBake, 'an apt mirror that is dead', async () => {
  machine.relay.refuses = /./;
  await expectFailure(/exit code 100 from: apt-get .* update\n/, /Failed to fetch http.*\/InRelease +503/);
  machine.relay.refuses = /(?!)/;
});

/** What Packer says of its own accord; of the scripts nothing is expected. */
function unexpectedLines(log: string): string[] {
  const ofPacker =
    /^==> null\.node: (Using SSH communicator|Waiting for SSH|Connected to SSH!|Provisioning with shell script|Uploading|Downloading)|^Build 'null\.node' finished after|^==> Wait completed|^==> Builds finished|^--> null\.node: Did not export/;
  return log.split('\n').filter((line) => line !== '' && !ofPacker.test(line));
}

/** The image as one finds it who logs in. */
async function expectImage(): Promise<void> {
  const bin = '/opt/k8s/bin';
  assert.match(await says('/opt/k8s/kube-nginx/sbin/kube-nginx -V'), /nginx\/1\.22\.1\n[^]*--with-stream /);
  assert.match(await says(`${bin}/containerd --version`), / 1\.6\.\d+/);
  assert.match(await says(`${bin}/runc --version`), /^runc version 1\.1\./);
  assert.match(await says(`${bin}/crictl --version`), /^crictl version v1\.18\.0$/);
  assert.equal(await says(`${bin}/kubelet --version`), 'Kubernetes v1.18.6');
  assert.match(await says(`CNI_COMMAND=VERSION ${bin}/bridge`), /"supportedVersions":\[.*"0\.4\.0"/);

  const units = ['kube-nginx', 'containerd', 'forward-accept', 'kubelet'].map((unit) => `${unit}.service`).join(' ');
  assert.equal(await says(`systemctl is-enabled ${units}`), 'enabled\nenabled\nenabled\nenabled');
  // No user-data: it waits.
  assert.equal(await says('systemctl show -P ActiveState -P ConditionResult kubelet.service'), 'inactive\nno');
  // Everything that the bake needs of the network came from the mirror; nothing else is left to ask.
  assert.equal(
    await says("grep -rhoE '(https?|file)://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d | sort -u"),
    `${machine.relay.archive}\n${machine.relay.security}`,
  );
}

testUnless(bake, missingForBake, 'then it works, quietly; a machine that exists stays what it is', async () => {
  // Of a bake that was cut off while dpkg wrote.
  await says('dpkg-query --status bash >/var/lib/dpkg/updates/0000');
  assert.match((await machine.node.run('apt-get install --yes bash')).all, /dpkg was interrupted/);
  // No container can turn swap on; test/e2e/qemu-bake.long.test.ts does.
  await says(
    'echo full >/swapfile; echo "/swapfile none swap sw 0 0" >>/etc/fstab; ' +
      'printf "[Swap]\\nWhat=/var/swap\\n[Install]\\nWantedBy=multi-user.target\\n" >/etc/systemd/system/var-swap.swap; ' +
      'systemctl enable --quiet var-swap.swap',
  );
  // apt runs elsewhere for a while.
  const lock = `import fcntl, time; fcntl.lockf(open('/var/lib/dpkg/lock-frontend', 'w'), fcntl.LOCK_EX); time.sleep(20)`;
  await says(`systemd-run --quiet python3 -c "${lock}"`);
  const identity = 'cat /etc/machine-id /etc/ssh/ssh_host_*_key.pub /home/debian/.ssh/authorized_keys';
  const before = await says(identity);
  const { exitCode, all, seconds } = await machine.build();
  assert.equal(exitCode, 0, all);
  console.log(`  baked in ${seconds.toFixed(0)} s`);
  assert.deepEqual(unexpectedLines(all), []);
  assert.equal(await says(stateOfMachine), untouched);
  assert.equal(await says(identity), before);
  await expectImage();
  assert.equal(await says('grep swapfile /etc/fstab'), '# no swap under kubelet: /swapfile none swap sw 0 0');
  assert.equal(await says('ls -d /swapfile 2>/dev/null; systemctl is-enabled var-swap.swap || true'), 'disabled');
});

testUnless(bake, missingForBake, 'a second bake of the same machine, which now becomes an image', async () => {
  await machine.compile({ sysprep: true });
  const { exitCode, all, seconds } = await machine.build();
  assert.equal(exitCode, 0, all);
  console.log(`  baked again in ${seconds.toFixed(0)} s`);
  assert.deepEqual(unexpectedLines(all), []);
  await expectImage();

  assert.equal(await says('stat -c %s /etc/machine-id; readlink /var/lib/dbus/machine-id'), '0\n/etc/machine-id');
  const remains = [
    '/etc/ssh/ssh_host_*',
    '/home/*/.ssh/*',
    '/root/.ssh/*',
    '/var/lib/cloud/*',
    '/var/lib/apt/lists/*_*',
    '/var/lib/systemd/random-seed',
    '/etc/netplan/*',
  ];
  assert.equal(await says(`ls -d ${remains.join(' ')} 2>/dev/null || true`), '');
  assert.equal(await says("grep -rlE 'PRIVATE KEY|ssh-ed25519 ' /etc /home /root /opt/k8s/kube-nginx || true"), '');
});

bake.run();
