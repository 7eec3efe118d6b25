import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// containerd reads the compiled config.toml. It is Debian's 1.6, which stands in for every version that a cluster may
// have: the older ones, such as the guide's 1.3.3, are not to be had here and know the same keys.
const containerd = suite('containerd');
const debian = await tryPart('debian-12');

/** Prints two lines of JSON: the configuration as written, and as containerd has understood it. */
const readAndDump = `
set -eu
as_json() { python3 -c 'import json, sys, tomllib; print(json.dumps(tomllib.load(sys.stdin.buffer)))'; }
as_json < /config.toml
containerd --config /config.toml config dump > /run/dump.toml
as_json < /run/dump.toml`;

const defaults = {
  root: '/data/k8s/containerd/root',
  state: '/data/k8s/containerd/state',
  sandboxImage: 'registry.cn-beijing.aliyuncs.com/images_k8s/pause-amd64:3.1',
  cniPlugins: '/opt/k8s/bin',
  cniConfigs: '/etc/cni/net.d',
  runtimeType: 'io.containerd.runc.v2',
  systemdCgroup: true,
};

const expected: Readonly<Record<string, Partial<typeof defaults>>> = {
  'every-option': {
    root: '/srv/containerd/root',
    state: '/srv/containerd/state',
    sandboxImage: 'registry.k8s.io/pause:3.6',
    systemdCgroup: false,
  },
  'guide-literal': { systemdCgroup: false },
  // As its bake.lock pins it.
  locked: {
    sandboxImage: `${defaults.sandboxImage}@sha256:6210c0bf05396716df932f0729df69de0533933e5ad9871fd07b61811c4c28df`,
  },
};

// A misspelt key is no error to containerd: it is left out of what it has understood. (The options of a runtime are not
// known to it, so that those stay; SystemdCgroup is spelt out above.)
for (const name of caseNames) {
  testUnless(containerd, debian.missing, `${name}: every value of config.toml is understood`, () =>
    withCompiled(name, async (out) => {
      const config = join(out, 'packer/rootfs/etc/containerd/config.toml');
      const { exitCode, stdout, stderr } = await runInRoot(debian.folder, ['sh', '-c', readAndDump], {
        binds: [{ from: config, to: '/config.toml' }],
      });
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
      const [written, understood] = stdout.split('\n').map((line) => leavesOf(JSON.parse(line)));
      assert.ok(written !== undefined && understood !== undefined && written.size > 5, stdout);
      for (const [key, value] of written) assert.equal(understood.get(key), value, key);

      const cri = 'plugins/io.containerd.grpc.v1.cri';
      const runc = `${cri}/containerd/runtimes/runc`;
      const actual = {
        root: understood.get('root'),
        state: understood.get('state'),
        sandboxImage: understood.get(`${cri}/sandbox_image`),
        cniPlugins: understood.get(`${cri}/cni/bin_dir`),
        cniConfigs: understood.get(`${cri}/cni/conf_dir`),
        runtimeType: understood.get(`${runc}/runtime_type`),
        systemdCgroup: understood.get(`${runc}/options/SystemdCgroup`),
      };
      assert.deepEqual(actual, { ...defaults, ...expected[name] });
    }),
  );
}

/** The values of a tree by their paths, such as `plugins/…/cni/bin_dir`. */
function leavesOf(tree: unknown, path: readonly string[] = []): Map<string, unknown> {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return new Map([[path.join('/'), tree]]);
  return new Map(Object.entries(tree).flatMap(([key, value]) => [...leavesOf(value, [...path, key])]));
}

containerd.run();
