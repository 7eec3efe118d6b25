import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { parse } from 'yaml';
import { runInRoot } from '../parts/parts.ts';
import { descriptionOf, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// Values that try to break out of the files that carry them are, for those who read these files, what they were in the
// description. test/e2e/cloud-init.test.ts has the shell's part: there the files have the SHA-256 that bake meant.
const arrival = suite('arrival');
const debian = await tryPart('debian-12');
const built = await tryPart('packer');

/** Of every-option, as far as these tests read it. */
interface Description {
  name: string;
  controlPlane: { kubeletClientUser: string };
  kubelet: { config: { staticPodURLHeader: object }; flags: { 'system-reserved-cgroup': string } };
  image: { amazonEbs: { tags: Record<string, string> } };
  sshAuthorizedKeys: string[];
}
const written = parse(readFileSync(descriptionOf('every-option'), 'utf8')) as Description;

testUnless(arrival, built.missing, "tags through Packer's variables and through the templates of its plugins", () =>
  withCompiled('every-option', async (out) => {
    const template = join(out, 'packer');
    const { tags } = written.image.amazonEbs;
    for (const text of ['\n', '"', '${', '%{', '{{']) assert.ok(tags['text']?.includes(text), text);
    const packer = (argv: readonly string[], input = '') =>
      execa(join(built.folder, 'packer'), argv, {
        cwd: template,
        env: { CHECKPOINT_DISABLE: '1', PACKER_PLUGIN_PATH: join(built.folder, 'plugins'), HOME: out },
        input,
        all: true,
        reject: false,
      });

    const { stdout } = await packer(['console', '.'], 'jsonencode(var.amazon_ebs_tags)\n');
    assert.deepEqual(JSON.parse(stdout), tags);

    // The file builder reads {{ }} in its settings as amazon-ebs does in its tags, and needs no account.
    const build = async (content: string) => {
      writeFileSync(
        join(template, 'arrival.pkr.hcl'),
        `source "file" "arrival" {
  content = jsonencode(${content})
  target  = "arrival.json"
}
build {
  sources = ["source.file.arrival"]
}
`,
      );
      return packer(['build', '-color=false', '-force', '-only=file.arrival', '.']);
    };
    const { exitCode, all } = await build('local.amazon_ebs_tags');
    assert.equal(exitCode, 0, all);
    assert.deepEqual(JSON.parse(readFileSync(join(template, 'arrival.json'), 'utf8')), tags);

    const unescaped = await build('var.amazon_ebs_tags');
    assert.equal(unescaped.exitCode, 1, unescaped.all);
    assert.match(unescaped.all, /function "z" not defined/);
  }),
);

// systemd loads the unit as it would to start it, and shows its command line: quotes and backslashes are read, and % is
// expanded. What is still to come, at exec, is $: only a booted node can show that (systemd.service(5): $$ is $).
const showCommandLine = `
set -eu
cp -R /rootfs/. /
mount -t cgroup2 none /sys/fs/cgroup
mount -o remount,bind,ro /sys/fs/cgroup
export HOME=/
setpriv --reuid=nobody --clear-groups /lib/systemd/systemd --test --system --unit=kubelet.service > /run/units 2> /run/log
line=$(sed -n 's|^.*Command Line: /opt/k8s/bin/kubelet |kubelet |p' /run/units)
eval "set -- $line"
printf '%s\\0' "$@"`;

testUnless(arrival, debian.missing, 'a flag of kubelet through systemd', () =>
  withCompiled('every-option', async (out) => {
    const flag = written.kubelet.flags['system-reserved-cgroup'];
    for (const text of [' ', '"', '$HOME', '${', '%n', '%%', '\\', '{{']) assert.ok(flag.includes(text), text);
    const { stdout, stderr } = await runInRoot(debian.folder, ['bash', '-c', showCommandLine], {
      binds: [{ from: join(out, 'packer/rootfs'), to: '/rootfs' }],
    });
    const words = stdout.split('\0').map((word) => word.replaceAll('$$', '$'));
    assert.equal(words[0], 'kubelet', stderr);
    assert.ok(words.includes(`--system-reserved-cgroup=${flag}`), words.join('\n'));
  }),
);

const readYaml = `
import json, sys, yaml
user_data = yaml.safe_load(open('/out/nodes/node1/user-data'))
files = {file['path']: file['content'] for file in user_data['write_files']}
kubeconfig = yaml.safe_load(files['/etc/kubernetes/kubelet-bootstrap.kubeconfig'])
rbac = list(yaml.safe_load_all(open('/out/manifests/rbac.yaml')))
json.dump({
  'cluster': kubeconfig['clusters'][0]['name'],
  'clusterOfContext': kubeconfig['contexts'][0]['context']['cluster'],
  'header': yaml.safe_load(files['/etc/kubernetes/kubelet-config.yaml'])['staticPodURLHeader'],
  'keys': user_data['ssh_authorized_keys'],
  'users': [s['name'] for o in rbac for s in o.get('subjects', []) if s['kind'] == 'User'],
}, sys.stdout)`;

testUnless(arrival, debian.missing, 'names, fields and keys through YAML, as PyYAML reads it', () =>
  withCompiled('every-option', async (out) => {
    const { name, sshAuthorizedKeys } = written;
    const { kubeletClientUser } = written.controlPlane;
    for (const text of ['"', '${', '%{', '{{']) assert.ok(name.includes(text), text);
    for (const text of ["'", '"', '${']) assert.ok(kubeletClientUser.includes(text), text);
    const { stdout, stderr } = await runInRoot(debian.folder, ['python3', '-c', readYaml], {
      binds: [{ from: out, to: '/out' }],
    });
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), {
      cluster: name,
      clusterOfContext: name,
      header: written.kubelet.config.staticPodURLHeader,
      keys: sshAuthorizedKeys,
      users: [kubeletClientUser],
    });
  }),
);

arrival.run();
