import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot, type CommandResult } from '../parts/parts.ts';
import { hierarchies } from '../../src/edges/cgroups.ts';
import { withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { tryPart } from '../support/try-part.ts';

// kubelet 1.18.6, the guide's own, starts from what is compiled: the image's files as scripts/ lay them out, the node's as
// cloud-init does, the command line of the unit. There is no containerd here, and no apiserver: it gets as far as asking
// the one for a certificate, and ends when it misses the other.
const kubelet = suite('kubelet');
const debian = await tryPart('debian-12');
const built = await tryPart('kubelet-1.18.6');
const missing =
  debian.missing ??
  built.missing ??
  (hierarchies.length === 0 ? 'kubelet 1.18.6 knows cgroups v1 only, and this machine has none mounted' : undefined);

const start = `
set -eu
mkdir -p "$BAKE_FOLDER"
cp -R /template/rootfs /template/hosts /template/scripts/quietly.sh "$BAKE_FOLDER"
for script in make-folders install-rootfs link-resolv-conf add-hosts; do bash "/template/scripts/$script.sh"; done
cloud-init --file /node/user-data single --name write_files --frequency always > /dev/null

# kubelet sets kernel.panic and others, which are those of the machine and not of this root.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
ip address add "$ADDRESS" dev lo

unit() { sed -e :a -e '/\\\\$/N; s/\\\\\\n//; ta' /etc/systemd/system/kubelet.service | sed -n "s/^$1=//p"; }
set -a
. /etc/kubernetes/kubelet.env
cd "$(unit WorkingDirectory)"
`;

/** Starts kubelet as node1 of a compiled output; `instead` is run in place of the unit's own lines. */
function startKubelet(
  out: string,
  address: string,
  instead = '$(unit ExecStartPre); eval "timeout 60 $(unit ExecStart)"',
): Promise<CommandResult> {
  const template = join(out, 'packer');
  const variables = JSON.parse(readFileSync(join(template, 'bake.auto.pkrvars.json'), 'utf8')) as Record<
    string,
    string
  >;
  return inTemporaryFolder((folder) => {
    const cgroupFolder = join(folder, 'cgroup');
    mkdirSync(cgroupFolder);
    return runInRoot(debian.folder, ['bash', '-c', start + instead], {
      // As packer/build.pkr.hcl gives it to the scripts.
      env: {
        BAKE_FOLDER: '/var/tmp/bake',
        K8S_DIR: variables['kubelet_directory'] ?? '',
        CONTAINERD_DIR: variables['containerd_directory'] ?? '',
        RESOLV_CONF: variables['resolv_conf'] ?? '',
        ADDRESS: address,
      },
      binds: [
        { from: template, to: '/template' },
        { from: join(out, 'nodes/node1'), to: '/node' },
        { from: join(built.folder, 'kubelet'), to: '/opt/k8s/bin/kubelet' },
        { from: cgroupFolder, to: '/sys/fs/cgroup', writable: true },
        // The machine's own, to be read only.
        ...hierarchies.map((path) => ({ from: path, to: `/sys/fs/cgroup/${basename(path)}` })),
      ],
    });
  });
}

/** What kubelet says of flags and fields that it does not know, or not for long. */
function complaints(log: string): string {
  const complaint = /unknown (flag|field|shorthand)|unrecognized|strict decoding|lenient decoding|has been deprecated/i;
  const lines = log.split('\n').filter((line) => complaint.test(line));
  return lines.join('\n');
}

/** Fails with the log, without its list of flags; assert.match() would have uvu compare all of it by letters. */
function expectLine(log: string, line: RegExp): void {
  assert.ok(line.test(log), `${line.source} is not in\n${log.replace(/^.* FLAG: .*\n/gm, '')}`);
}

/** The flags of the compiled unit, with the values that they have on node1, as kubelet logs them. */
function flagsOf(out: string, address: string): Map<string, string> {
  const unit = readFileSync(join(out, 'packer/rootfs/etc/systemd/system/kubelet.service'), 'utf8');
  const words = [...unit.matchAll(/^ {2}--([a-z-]+)=(\S*)/gm)];
  return new Map(
    words.map(([, flag = '', value = '']) => [
      flag,
      value
        .replace('${KUBELET_HOSTNAME}', 'node1')
        .replace('${KUBELET_NODE_IP}', address)
        .replace(/^(\d+)m$/, '$1m0s'),
    ]),
  );
}

const cases = [
  { name: 'guide', address: '192.168.31.136', cgroupDriver: 'systemd', server: '127.0.0.1:8443' },
  { name: 'guide-literal', address: '192.168.31.136', cgroupDriver: 'cgroupfs', server: '127.0.0.1:8443' },
  { name: 'ipv6', address: 'fd00:31::136', cgroupDriver: 'systemd', server: '\\[::1\\]:8443' },
];

for (const { name, address, cgroupDriver, server } of cases) {
  testUnless(kubelet, missing, `${name}: takes every flag and field, and asks for its certificate`, () =>
    withCompiled(name, async (out) => {
      const { all } = await startKubelet(out, address);
      expectLine(all, / Version: v1\.18\.6$/m);
      assert.equal(complaints(all), '');
      const flags = flagsOf(out, address);
      assert.ok(flags.size > 10, [...flags].join('\n'));
      for (const [flag, value] of flags) {
        assert.equal(new RegExp(`FLAG: --${flag}="(.*)"`).exec(all)?.[1], value, flag);
      }
      // Values of the file, in what kubelet makes of them.
      expectLine(all, new RegExp(` CgroupDriver:${cgroupDriver} .*Signal:memory.available .* Value:{Quantity:100Mi `));
      const requests = `https://${server}/apis/certificates.k8s.io/v1beta1/certificatesigningrequests`;
      expectLine(all, new RegExp(`cannot create certificate signing request: Post "${requests}": dial tcp`));
      expectLine(all, /failed to run Kubelet: .*containerd\.sock/);
    }),
  );
}

testUnless(kubelet, missing, 'kubelet would say so of a field or flag that it does not know', () =>
  withCompiled('guide', async (out) => {
    const misspell = 'sed -i s/maxPods:/maxPodz:/ /etc/kubernetes/kubelet-config.yaml';
    const run = 'eval "timeout 60 $(unit ExecStart)';
    const field = await startKubelet(out, '192.168.31.136', `${misspell}; ${run}"`);
    assert.match(complaints(field.all), /unknown field.*maxPodz/);
    const flag = await startKubelet(out, '192.168.31.136', `${run} --no-such-flag"`);
    assert.match(complaints(flag.all), /unknown flag: --no-such-flag/);
  }),
);

kubelet.run();
