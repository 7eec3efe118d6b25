import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { diffArrays } from 'diff';
import { suite } from 'uvu';
import { parse, parseAllDocuments } from 'yaml';
import { withCompiled } from '../support/compile-case.ts';
import { readTree } from '../support/read-tree.ts';

// What the guide types is in guide-literal/guide/, letter by letter: its heredocs, and in commands.sh its other commands.
// examples/guide-literal compiles to them, and docs/deviations.md names whatever examples/guide changes.
const here = import.meta.dirname;
const literal = suite('guide-literal');
const deviations = suite('deviations');

const tree = await withCompiled('guide-literal', readTree);
const defaults = await withCompiled('guide', readTree);

const nodes = new Map([
  ['master', '192.168.31.44'],
  ['node1', '192.168.31.136'],
  ['node2', '192.168.31.90'],
]);

/** The variables that the guide sets in an earlier chapter. */
const variables: Readonly<Record<string, string>> = {
  K8S_DIR: '/data/k8s/k8s',
  CONTAINERD_DIR: '/data/k8s/containerd',
  CLUSTER_CIDR: '172.30.0.0/16',
  CLUSTER_DNS_SVC_IP: '10.254.0.2',
  CLUSTER_DNS_DOMAIN: 'cluster.local',
  KUBE_APISERVER: 'https://127.0.0.1:8443',
};

/** What the guide's `cat > FILE <<EOF` leaves in the file; with `<< \EOF` the shell changes nothing. */
function typed(name: string, quoted: 'EOF' | '\\EOF' = 'EOF'): string {
  const text = readFileSync(join(here, 'guide-literal/guide', name), 'utf8');
  return quoted === '\\EOF' ? text : expand(text, variables).replaceAll('\\\\', '\\');
}

function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    assert.ok(value !== undefined, `nobody sets ${name}`);
    return value;
  });
}

function textOf(path: string, files = tree): string {
  const content = files.get(path);
  assert.ok(content, `${path} is not written`);
  return content.toString();
}

interface CloudConfig {
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}

/** The files that cloud-init places on a node. */
function placedFiles(node: string, files = tree): Map<string, string> {
  const { write_files } = parse(textOf(`nodes/${node}/user-data`, files)) as CloudConfig;
  return new Map(write_files.map(({ path, content }) => [path, content]));
}

function placed(node: string, path: string, files = tree): string {
  const text = placedFiles(node, files).get(path);
  assert.ok(text !== undefined, `${path} is not placed on ${node}`);
  return text;
}

/** authentication.x509.clientCAFile -> its value; an empty mapping and a list are values. */
function fieldsOf(text: string): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  const walk = (value: unknown, path: readonly string[]): void => {
    const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
    for (const [key, inner] of entries) walk(inner, [...path, key]);
    if (entries.length === 0) fields.set(path.join('.'), value);
  };
  // kubelet reads YAML 1.1.
  walk(parse(text, { version: '1.1' }), []);
  return fields;
}

/** `--name=value` of the ExecStart= of a unit, one by one; systemd joins its lines, and puts in the EnvironmentFile=. */
function flagsOf(unit: string, environment: string): string[] {
  const [, command] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
  assert.ok(command !== undefined, 'no ExecStart=');
  const set = environment.split('\n').filter((line) => line !== '');
  const values = Object.fromEntries(set.map((line) => line.split('=', 2) as [string, string]));
  return expand(command.replaceAll('\\\n', ' '), values)
    .split(/\s+/)
    .filter((word) => word !== '');
}

const kubeletConfig = '/etc/kubernetes/kubelet-config.yaml';
const kubeletEnvironment = '/etc/kubernetes/kubelet.env';
const units = 'packer/rootfs/etc/systemd/system';

for (const [node, address] of nodes) {
  literal(`KubeletConfiguration of ${node}, field by field`, () => {
    const guide = fieldsOf(typed('kubelet-config.yaml.template').replaceAll('##NODE_IP##', address));
    assert.ok(guide.size > 60, 'the guide gives more than sixty');
    const sorted = (fields: Map<string, unknown>) => [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(sorted(fieldsOf(placed(node, kubeletConfig))), sorted(guide));
  });

  literal(`kubelet's command line of ${node}, flag by flag`, () => {
    const guide = flagsOf(typed('kubelet.service.template').replaceAll('##NODE_NAME##', node), '');
    assert.equal(guide.length, 15, 'the guide gives fourteen flags');
    assert.deepEqual(flagsOf(textOf(`${units}/kubelet.service`), placed(node, kubeletEnvironment)), guide);
  });

  literal(`bootstrap kubeconfig and token of ${node}, as kubectl and kubeadm make them`, () => {
    const command = (start: string): Command => findCommand(start);
    const create = command('kubeadm token create');
    const setCluster = command('kubectl config set-cluster');
    const setContext = command('kubectl config set-context');
    const [user = ''] = command('kubectl config set-credentials').names;
    const [cluster = ''] = setCluster.names;
    const [context = ''] = setContext.names;
    const secret = parse(textOf(`manifests/tokens/${node}.yaml`)) as { stringData: Record<string, string> };
    const { 'token-id': id = '', 'token-secret': rest = '', expiration, ...data } = secret.stringData;

    assert.equal(setCluster.flags['embed-certs'], 'true');
    assert.deepEqual(parse(placed(node, '/etc/kubernetes/kubelet-bootstrap.kubeconfig')), {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: cluster,
          cluster: {
            'certificate-authority-data': readFileSync(join(here, '../../examples/guide/ca.pem')).toString('base64'),
            server: setCluster.flags['server'],
          },
        },
      ],
      users: [{ name: user, user: { token: `${id}.${rest}` } }],
      contexts: [{ name: context, context: { cluster: setContext.flags['cluster'], user: setContext.flags['user'] } }],
      'current-context': command('kubectl config use-context').names[0],
    });
    assert.deepEqual(
      { ...secret, stringData: data },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
        type: 'bootstrap.kubernetes.io/token',
        stringData: {
          description: create.flags['description'],
          'auth-extra-groups': create.flags['groups']?.replace('${node_name}', node),
          // What `kubeadm token list` shows in the guide: authentication,signing.
          'usage-bootstrap-authentication': 'true',
          'usage-bootstrap-signing': 'true',
        },
      },
    );
    assert.equal(expiration, '2020-08-03T14:12:04Z', "kubeadm's 24 hours");
  });
}

/** The guide's files, where its scp puts them, and each line that bake has besides, with the reason. */
const files: readonly {
  readonly guide: string;
  readonly quoted?: '\\EOF';
  readonly path: string;
  readonly added?: Readonly<Record<string, string>>;
}[] = [
  { guide: 'kube-nginx.conf', quoted: '\\EOF', path: 'packer/rootfs/opt/k8s/kube-nginx/conf/kube-nginx.conf' },
  { guide: 'kube-nginx.service', path: `${units}/kube-nginx.service` },
  { guide: 'containerd-config.toml', path: 'packer/rootfs/etc/containerd/config.toml' },
  { guide: 'containerd.service', path: `${units}/containerd.service` },
  { guide: 'crictl.yaml', path: 'packer/rootfs/etc/crictl.yaml' },
  {
    guide: 'kubelet.service.template',
    path: `${units}/kubelet.service`,
    added: {
      'After=cloud-init.service kube-nginx.service':
        'kubelet is enabled in the image, and its files come by user-data; nobody starts it by hand after scp',
      '# user-data writes this list last. Without it this machine is no node yet, and that is no failure.':
        'says why the next line is there',
      'ConditionPathExists=/etc/kubernetes/bake.sha256': 'an image without user-data is no failed node',
      'EnvironmentFile=-/etc/kubernetes/kubelet.env':
        "one unit in the image serves every node; the guide's sed makes one a node",
      'ExecStartPre=/opt/k8s/bin/check-user-data': 'user-data that was cut short starts no kubelet',
    },
  },
];

for (const { guide, quoted, path, added = {} } of files) {
  literal(`${guide}, line by line`, () => {
    const [node] = nodes.keys();
    const environment = { KUBELET_HOSTNAME: node ?? '' };
    const ours = guide === 'kubelet.service.template' ? expand(textOf(path), environment) : textOf(path);
    const changes = diffArrays(
      typed(guide, quoted)
        .replaceAll('##NODE_NAME##', node ?? '')
        .split('\n'),
      ours.split('\n'),
    );
    assert.deepEqual(
      changes.filter(({ removed }) => removed).flatMap(({ value }) => value),
      [],
      'lines of the guide that are not there',
    );
    assert.deepEqual(
      changes.filter((change) => change.added).flatMap(({ value }) => value),
      Object.keys(added),
      'lines that the guide has not',
    );
  });
}

literal('RBAC, object by object', () => {
  const objects = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS() as unknown);
  const bindings = ['kube-apiserver:kubelet-apis', 'kubelet-bootstrap'].map((name) =>
    createClusterRoleBinding(findCommand(`kubectl create clusterrolebinding ${name}`)),
  );
  assert.deepEqual(objects(textOf('manifests/rbac.yaml')), [...bindings, ...objects(typed('csr-crb.yaml'))]);
});

literal('downloads are those of the guide, over HTTPS', () => {
  const guide = ['wget http://nginx.org', 'wget https://github.com'].flatMap((start) => findCommand(start).names);
  assert.equal(guide.length, 5);
  // kubelet comes from an earlier chapter; `kubectl get node` shows v1.18.7-rc.0.1+73d9f50c2ba112-dirty: 1.18.6 and more.
  const kubelet = 'https://dl.k8s.io/release/v1.18.6/bin/linux/amd64/kubelet';
  const urls = downloads(tree).map(([, url]) => url);
  assert.deepEqual(urls.sort(), [...guide.map((url) => url.replace(/^http:/, 'https:')), kubelet].sort());
});

/** Name and URL of each. */
function downloads(files: Map<string, Buffer>): [name: string, url: string][] {
  const lines = textOf('packer/artifacts.tsv', files).trimEnd().split('\n');
  return lines.map((line) => line.split('\t', 2) as [string, string]);
}

literal("nginx's configure flags are the guide's, but for the prefix", () => {
  const [, ours] = /^(?:quietly )?(\.\/configure(?:.*\\\n)*.*)$/m.exec(textOf('packer/scripts/build-nginx.sh')) ?? [];
  assert.ok(ours !== undefined, 'no ./configure');
  const prefix = (flag: string): boolean => flag.startsWith('--prefix=');
  const guide = wordsOf(findCommand('./configure').text);
  assert.deepEqual(
    wordsOf(ours).filter((word) => !prefix(word)),
    guide.filter((word) => !prefix(word)),
  );
  assert.ok(guide.some(prefix) && wordsOf(ours).some(prefix));
});

interface Command {
  readonly text: string;
  /** Words that are no flags, without those asked for. */
  readonly names: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
}

/** A command of commands.sh by its first words, with the variables filled in that the guide sets elsewhere. */
function findCommand(start: string): Command {
  const lines = typed('commands.sh', '\\EOF').replaceAll('\\\n', ' ').split('\n');
  const line = lines.find((candidate) => candidate.includes(start));
  assert.ok(line !== undefined, `the guide has no ${start}`);
  const text = line
    .slice(line.indexOf(start))
    .replaceAll(/\$\{([A-Z0-9_]+)\}/g, (match, name: string) => variables[name] ?? match);
  // The last word asked for may go on, as the host of a URL does.
  const words = wordsOf(text).slice(start.split(' ').length - (start.includes('://') ? 1 : 0));
  const flags: Record<string, string> = {};
  const names: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, name, value] = /^--([\w-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (name === undefined) names.push(word);
    else flags[name] = value ?? words.shift() ?? '';
  }
  return { text, names, flags };
}

function wordsOf(command: string): string[] {
  return command
    .replaceAll('\\\n', ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** The object that `kubectl create clusterrolebinding` makes. */
function createClusterRoleBinding({ text, flags }: Command): unknown {
  const apiGroup = 'rbac.authorization.k8s.io';
  const kind = flags['user'] === undefined ? 'Group' : 'User';
  return {
    kind: 'ClusterRoleBinding',
    apiVersion: `${apiGroup}/v1`,
    metadata: { name: wordsOf(text)[3] },
    subjects: [{ kind, name: flags['user'] ?? flags['group'], apiGroup }],
    roleRef: { kind: 'ClusterRole', name: flags['clusterrole'], apiGroup },
  };
}

// ---- docs/deviations.md

const document = readFileSync(join(here, '../../docs/deviations.md'), 'utf8');

/** The lines of its tables, cell by cell: the guide, the default, why, the way back. */
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (---|The guide \|)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** Fails with all that no line of the document tells. */
function expectTold(what: string, missing: readonly string[]): void {
  assert.deepEqual(missing, [], `${what} that docs/deviations.md does not tell`);
}

function differing(before: Map<string, unknown>, after: Map<string, unknown>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.filter((name) => JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name))).sort();
}

deviations('names each field of KubeletConfiguration, with what either has', () => {
  for (const [node, address] of nodes) {
    const guide = fieldsOf(placed(node, kubeletConfig));
    const ours = fieldsOf(placed(node, kubeletConfig, defaults));
    const fields = differing(guide, ours);
    assert.deepEqual(fields, ['cgroupDriver', 'healthzBindAddress', 'podCIDR', 'resolvConf']);
    const told = (field: string): boolean =>
      rows.some(([has = '', instead = '']) => {
        const value = String(guide.get(field)).replace(address, "the node's address");
        const shown = value === variables['CLUSTER_CIDR'] ? '${CLUSTER_CIDR}' : value;
        return (
          has.includes(`\`${field}:`) &&
          has.includes(shown) &&
          (ours.has(field) ? instead.includes(String(ours.get(field))) : instead === 'left out')
        );
      });
    expectTold(
      'fields',
      fields.filter((field) => !told(field)),
    );
  }
});

deviations("names each of kubelet's flags", () => {
  const flags = (files: Map<string, Buffer>) => {
    const command = flagsOf(textOf(`${units}/kubelet.service`, files), placed('master', kubeletEnvironment, files));
    return new Map(command.map((word) => word.split('=', 2) as [string, string]));
  };
  const names = differing(flags(tree), flags(defaults));
  assert.deepEqual(names, ['--node-ip', '--pod-infra-container-image']);
  const told = (name: string): boolean => rows.some(([has]) => has === `no \`${name}\``);
  expectTold(
    'flags',
    names.filter((name) => !told(name)),
  );
});

deviations('names each version', () => {
  const version = /\d+\.\d+\.\d+(?:-rc\d+)?/;
  const releases = (files: Map<string, Buffer>) =>
    new Map(downloads(files).map(([name, url]) => [name.replace(/\..*/, ''), version.exec(url)?.[0]]));
  const [guide, ours] = [releases(tree), releases(defaults)];
  const names = differing(guide, ours);
  assert.deepEqual(names, ['nginx', 'runc']);
  const told = (name: string): boolean =>
    rows.some(([has, instead]) => has === `${name} ${String(guide.get(name))}` && instead === ours.get(name));
  expectTold(
    'versions',
    names.filter((name) => !told(name)),
  );
});

/** Lines of the image that the document tells in other words than their own: the line -> those words. */
const inOtherWords: Readonly<Record<string, string>> = {
  'shim = "containerd-shim"': '`[plugins."io.containerd.runtime.v1.linux"]`',
  'runtime = "runc"': '`[plugins."io.containerd.runtime.v1.linux"]`',
  'runtime_root = ""': '`[plugins."io.containerd.runtime.v1.linux"]`',
  'no_shim = false': '`[plugins."io.containerd.runtime.v1.linux"]`',
  'shim_debug = false': '`[plugins."io.containerd.runtime.v1.linux"]`',
  '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]': "runc's table replaces containerd's own",
  '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]': '`SystemdCgroup = true` for runc',
  'net.ipv4.tcp_keepalive_time=30': 'keepalive after 30 s, three times every 10 s',
  'net.ipv4.tcp_keepalive_intvl=10': 'keepalive after 30 s, three times every 10 s',
  'net.ipv4.tcp_keepalive_probes=3': 'keepalive after 30 s, three times every 10 s',
  'net.ipv4.tcp_retries2=8': '`tcp_retries2=8`',
  'D! /data/k8s/containerd/state 0711 root root -': 'the same folder, emptied at boot (`tmpfiles.d`)',
};

deviations('names each line of the image', () => {
  const spans = new Set([...document.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? ''));
  const lines = differingLines();
  const used = new Set<string>();
  const told = (line: string): boolean => {
    const bare = line.replace(/( \\|;)$/, '');
    const words = inOtherWords[bare];
    if (words !== undefined) {
      used.add(bare);
      return document.includes(words);
    }
    const [name = ''] = /^-*[\w-]+/.exec(bare) ?? [];
    return spans.has(bare) || spans.has(name);
  };
  assert.ok(lines.length > 30, lines.join('\n'));
  expectTold(
    'lines',
    lines.filter((line) => !told(line)),
  );
  assert.deepEqual([...used].sort(), Object.keys(inOtherWords).sort(), 'other words for lines that do not differ');
});

/** All that differs between the two images, but for comments, and for the versions and flags that are compared above. */
function differingLines(): string[] {
  const paths = [...new Set([...tree.keys(), ...defaults.keys()])];
  return paths
    .filter((path) => !/^(nodes\/|bake\.json$|packer\/artifacts\.tsv$|packer\/rootfs\/etc\/bake-release$)/.test(path))
    .flatMap((path) => {
      const lines = (files: Map<string, Buffer>) => files.get(path)?.toString().split('\n') ?? [];
      return diffArrays(lines(tree), lines(defaults)).filter(({ added, removed }) => added || removed);
    })
    .flatMap(({ value }) => value)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

deviations('nothing else differs on a node', () => {
  for (const node of nodes.keys()) {
    const [guide, ours] = [placedFiles(node), placedFiles(node, defaults)];
    const differs = [...guide.keys()].filter((path) => guide.get(path) !== ours.get(path));
    assert.deepEqual(differs, [kubeletConfig, '/etc/kubernetes/bake.sha256']);
    assert.deepEqual([...ours.keys()], [...guide.keys()]);
  }
});

deviations('each line that both profiles add to the guide is in the document, too', () => {
  const added = files.flatMap((file) => Object.keys(file.added ?? {})).filter((line) => !line.startsWith('#'));
  const value = (line: string): string => line.slice(line.indexOf('=') + 1).replace(/^-/, '');
  const told = (line: string): boolean =>
    rows.some(([, instead = '']) => instead.includes('in both profiles') && instead.includes(value(line)));
  expectTold(
    'lines',
    added.filter((line) => !told(line)),
  );
});

literal.run();
deviations.run();
