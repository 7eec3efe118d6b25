import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot, type CommandResult } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { readTree } from '../support/read-tree.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// systemd 252 reads the compiled units. Ubuntu 18.04's 237 is not to be had here; what it lacks, it would ignore in
// silence, and 252 accepts it: so what the units say is also held against a list of what 237 knows.
const units = suite('units');
const debian = await tryPart('debian-12');

/** What scripts/install-binaries.sh and build-nginx.sh put into the image; all else that units name must be there. */
const installed = ['/opt/k8s/bin/containerd', '/opt/k8s/bin/kubelet', '/opt/k8s/kube-nginx/sbin/kube-nginx'];

/** Has systemd-analyze verify the units of a compiled output, in a root that holds its rootfs. */
function verify(out: string, before = ''): Promise<CommandResult> {
  const script = `
set -eu
cp -R /rootfs/. /
for file in ${installed.join(' ')}; do install -D -m 755 /bin/true "$file"; done
cd /etc/systemd/system
${before}
systemd-analyze verify --recursive-errors=no --man=no $(cd /rootfs/etc/systemd/system && ls)`;
  return runInRoot(debian.folder, ['sh', '-c', script], {
    binds: [{ from: join(out, 'packer/rootfs'), to: '/rootfs' }],
  });
}

for (const name of caseNames) {
  testUnless(units, debian.missing, `${name}: systemd-analyze verify has nothing to say`, () =>
    withCompiled(name, async (out) => {
      const { exitCode, all } = await verify(out);
      assert.equal(all, '');
      assert.equal(exitCode, 0);
    }),
  );
}

testUnless(units, debian.missing, 'systemd-analyze verify would say so of a missing program and a misspelt key', () =>
  withCompiled('guide', async (out) => {
    const { exitCode, all } = await verify(
      out,
      'rm /opt/k8s/bin/kubelet; sed -i s/^RestartSec/RestartSeconds/ kube-nginx.service',
    );
    assert.equal(exitCode, 1, all);
    assert.match(all, /Command \/opt\/k8s\/bin\/kubelet is not executable/);
    assert.match(all, /Unknown key.*RestartSeconds/);
  }),
);

const anything = /./;
const yesOrNo = /^(true|false|yes|no)$/;
const limit = /^([0-9]+|infinity)$/;
const seconds = /^[0-9]+$/;
const span = /^([0-9]+(h|m|s|ms))+$/;
const unitNames = /^[a-z-]+\.(service|target)( [a-z-]+\.(service|target))*$/;
// '-' is as old as units are; '+' came with 231, '!' and '!!' with 235, ':' with 244.
const command = /^-?\//;

/**
 * Of each section, the directives that we use, and of each its values that systemd 237 takes (its NEWS has the versions:
 * https://github.com/systemd/systemd/blob/main/NEWS). What is not here is refused; add only what 237 has.
 */
const known: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  Unit: {
    Description: anything,
    Documentation: /^https:/,
    After: unitNames,
    Before: unitNames,
    Requires: unitNames,
    Wants: unitNames,
    ConditionPathExists: /^\//,
    // From 230 on, where it moved here from [Service]: without a limit a service is started again for ever.
    StartLimitIntervalSec: seconds,
  },
  Service: {
    // exec is from 240.
    Type: /^(simple|forking|oneshot|notify)$/,
    PIDFile: /^\/run\//,
    RemainAfterExit: yesOrNo,
    Environment: anything,
    // Read at exec: how a node's own values reach kubelet.
    EnvironmentFile: /^-?\//,
    WorkingDirectory: /^\//,
    // ExecCondition is from 243.
    ExecStartPre: command,
    ExecStart: command,
    ExecReload: command,
    Restart: /^(always|on-failure|no)$/,
    RestartSec: seconds,
    // Its place before 230, as the guide has it; 237 still takes it there.
    StartLimitInterval: seconds,
    PrivateTmp: yesOrNo,
    // Also a list of controllers, from 236 on.
    Delegate: yesOrNo,
    KillMode: /^(control-group|process|mixed|none)$/,
    OOMScoreAdjust: /^-?[0-9]+$/,
    LimitNOFILE: limit,
    LimitNPROC: limit,
    LimitCORE: limit,
    // From 227 on; without it containers share the default of 15 % of the machine's tasks.
    TasksMax: limit,
    CPUAccounting: yesOrNo,
    MemoryAccounting: yesOrNo,
    // Of StandardOutput, file: is from 236 and append: from 240; none of our units needs it.
    StandardError: /^journal\+console$/,
    SyslogLevel: /^err$/,
  },
  Timer: { OnBootSec: span, AccuracySec: span },
  Install: { WantedBy: unitNames },
  // journald.conf and timesyncd.conf, which are read the same way.
  Journal: { Storage: /^(auto|volatile|persistent|none)$/, SystemMaxUse: /^[0-9]+[KMGT]$/ },
  Time: { NTP: anything },
};

interface Directive {
  section: string;
  name: string;
  value: string;
}

/** A file as systemd reads it: comments dropped, and lines joined that end in a backslash (systemd.syntax(7)). */
function directivesOf(text: string): Directive[] {
  const lines = text
    .replace(/^[#;].*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  let section = '';
  return lines.flatMap((line) => {
    const header = /^\[(.+)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const [name = '', ...value] = line.split('=');
    return header === undefined ? [{ section, name, value: value.join('=').trim() }] : [];
  });
}

function unknownTo237(text: string): string[] {
  return directivesOf(text)
    .filter(({ section, name, value }) => known[section]?.[name]?.test(value) !== true)
    .map(({ section, name, value }) => `[${section}] ${name}=${value}`);
}

// Needs no part.
units('what the units say, systemd 237 knows, and the list has nothing that is not said', async () => {
  const used = new Set<string>();
  for (const name of caseNames) {
    await withCompiled(name, (out) => {
      const files = readTree(join(out, 'packer/rootfs/etc/systemd'));
      assert.ok(files.has('system/kubelet.service'), [...files.keys()].join());
      for (const [file, bytes] of files) {
        assert.deepEqual(unknownTo237(bytes.toString()), [], `${name}: ${file}`);
        for (const { section, name } of directivesOf(bytes.toString())) used.add(`[${section}] ${name}`);
      }
    });
  }
  const list = Object.entries(known).flatMap(([section, names]) =>
    Object.keys(names).map((name) => `[${section}] ${name}`),
  );
  assert.deepEqual(
    list.filter((entry) => !used.has(entry)),
    [],
  );
});

units('what came after systemd 237 is refused, also where 252 takes it', () => {
  const later = `[Unit]
StartLimitIntervalSec=0
ConditionEnvironment=X
[Service]
Type=exec
ExecCondition=/bin/true
ExecStart=:/bin/true $HOME
ExecStart=/bin/true \\
  ExecCondition=
StandardOutput=append:/var/log/kubelet.log
StartLimitIntervalSec=0
RestartSteps=3
`;
  assert.deepEqual(unknownTo237(later), [
    '[Unit] ConditionEnvironment=X',
    '[Service] Type=exec',
    '[Service] ExecCondition=/bin/true',
    '[Service] ExecStart=:/bin/true $HOME',
    '[Service] StandardOutput=append:/var/log/kubelet.log',
    '[Service] StartLimitIntervalSec=0',
    '[Service] RestartSteps=3',
  ]);
});

units.run();
