import assert from 'node:assert/strict';
import { suite } from 'uvu';
import { runInRoot } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// cloud-init 22.4 itself reads what bake writes for it.
const cloudInit = suite('cloud-init');
const debian = await tryPart('debian-12');

// Files and modes as cloud-init wrote them; the list of SHA-256 is of what bake meant.
const placeFiles = `
set -eu
for node in /out/nodes/*; do
  case "$(od -An -N2 -tx1 "$node/user-data")" in
    *1f*8b*) gunzip < "$node/user-data" > /run/user-data ;;
    *) cp "$node/user-data" /run/user-data ;;
  esac
  rm -rf /etc/kubernetes
  cloud-init schema --config-file /run/user-data
  cloud-init --file /run/user-data single --name write_files --frequency always > /dev/null
  sha256sum --check --strict --quiet /etc/kubernetes/bake.sha256
  test "$(wc -l < /etc/kubernetes/bake.sha256)" = 3
  test "$(stat -c %a /etc/kubernetes/kubelet-bootstrap.kubeconfig)" = 600
done`;

const convertNetwork = `
set -eu
for node in /out/nodes/*; do
  [ -f "$node/network-config" ] || continue
  rm -rf /run/netplan /run/networkd
  mkdir -p /run/netplan /run/networkd
  cloud-init devel net-convert -p "$node/network-config" -k yaml -d /run/netplan -D debian -O netplan
  cloud-init devel net-convert -p "$node/network-config" -k yaml -d /run/networkd -D debian -O networkd
  chmod 600 /run/netplan/etc/netplan/*.yaml
  netplan generate --root-dir /run/netplan
  ls /run/netplan/run/systemd/network/*.network > /dev/null
  ls /run/networkd/etc/systemd/network/*.network > /dev/null
done`;

for (const name of caseNames) {
  testUnless(cloudInit, debian.missing, `${name}: user-data is by the schema, and its files arrive as they are`, () =>
    withCompiled(name, async (out) => {
      const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', placeFiles], {
        binds: [{ from: out, to: '/out' }],
      });
      assert.equal(exitCode, 0, all);
      assert.match(all, /Valid cloud-config/);
    }),
  );
  testUnless(cloudInit, debian.missing, `${name}: network-config becomes netplan and networkd`, () =>
    withCompiled(name, async (out) => {
      const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', convertNetwork], {
        binds: [{ from: out, to: '/out' }],
      });
      assert.equal(exitCode, 0, all);
    }),
  );
}

cloudInit.run();
