import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { startDiskBake } from '../support/disk-bake.ts';
import { missingForBake } from '../support/real-bake.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// The same for arm64: the virt machine, which boots by UEFI, all of it emulated.
const qemuBake = suite('qemu-bake-arm64');
const packer = await tryPart('packer');
const cloud = await tryPart('debian-12-cloud');
const machines = await tryPart('machines');
const arm64 = await tryPart('arm64');

const title = 'a disk image for arm64, which boots, and is rehearsed';
testUnless(qemuBake, missingForBake ?? arm64.missing, title, async () => {
  const disk = await startDiskBake({
    packer: packer.folder,
    cloud: cloud.folder,
    machines: machines.folder,
    upstream: join(arm64.folder, 'mirror'),
    arm64: arm64.folder,
  });
  try {
    symlinkSync(join(arm64.folder, 'disk.raw'), disk.at('base.raw'));
    const { exitCode, stderr } = await disk.bake({});
    console.log(`\n${stderr}`);
    assert.equal(exitCode, 0);
    await disk.expectNode(disk.at('image/kubernetes-worker.qcow2'), async (says) => {
      assert.equal(await says('uname -m; ls -d /sys/firmware/efi'), 'aarch64\n/sys/firmware/efi');
    });
    const told = await disk.rehearse('node1', '--timeout', '20m');
    console.log(`${told.stdout}\n${told.stderr}`);
    assert.equal(told.exitCode, 0);
  } finally {
    disk.end();
  }
});

qemuBake.run();
