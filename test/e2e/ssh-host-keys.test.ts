import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot } from '../parts/parts.ts';
import { withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// What the unit runs, in Debian 12 without host keys, as an image is. When it runs is systemd's to decide, and there is
// none in this root: test/e2e/units.test.ts has systemd read the unit.
const hostKeys = suite('ssh-host-keys');
const debian = await tryPart('debian-12');

const bootWithoutKeys = `
set -eu
run() { $(sed -n 's/^ExecStart=//p' /rootfs/etc/systemd/system/ssh-host-keys.service); }
rm -f /etc/ssh/ssh_host_*
mkdir -p /run/sshd
if /usr/sbin/sshd -t 2> /dev/null; then echo 'sshd would start without host keys'; fi
run > /dev/null 2>&1
/usr/sbin/sshd -t
stat --format '%a %U %n' /etc/ssh/ssh_host_*_key
sha256sum /etc/ssh/ssh_host_* > /run/made
run
sha256sum --check --quiet /run/made
rm /etc/ssh/ssh_host_rsa_key /etc/ssh/ssh_host_rsa_key.pub
run > /dev/null 2>&1
sha256sum --check /run/made 2> /dev/null | grep -v ': OK$'`;

testUnless(hostKeys, debian.missing, 'it makes those that are missing, and leaves the others', () =>
  withCompiled('guide', async (out) => {
    const { all } = await runInRoot(debian.folder, ['bash', '-c', bootWithoutKeys], {
      binds: [{ from: join(out, 'packer/rootfs'), to: '/rootfs' }],
    });
    assert.deepEqual(all.split('\n'), [
      '600 root /etc/ssh/ssh_host_ecdsa_key',
      '600 root /etc/ssh/ssh_host_ed25519_key',
      '600 root /etc/ssh/ssh_host_rsa_key',
      '/etc/ssh/ssh_host_rsa_key: FAILED',
      '/etc/ssh/ssh_host_rsa_key.pub: FAILED',
    ]);
  }),
);

hostKeys.run();
