import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import { runInRoot, type CommandResult } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// nginx, built by the compiled script, reads the compiled configuration and forwards by it. It is 1.22.1, which stands in
// for the default 1.28.0 and for every other version of a case: no other source is to be had here.
const nginx = suite('nginx');
const debian = await tryPart('debian-12');
const source = await tryPart('nginx-source');
const missing = debian.missing ?? source.missing;

/** What the image has in /opt/k8s/kube-nginx once it is built. */
const built = mkdtempSync(join(tmpdir(), 'bake-test-'));
nginx.after(() => rmSync(built, { recursive: true, force: true }));

// A cloud image has no compiler. What else is there, such as libc6-dev, must still be there afterwards.
const build = `
set -eu
apt-get -qq update
apt-get -qq purge gcc make > /run/purge.log 2>&1
dpkg --get-selections > /run/before
mkdir -p "$BAKE_FOLDER"/artifacts
cp /template/scripts/quietly.sh "$BAKE_FOLDER"
cp /nginx.tar.gz "$BAKE_FOLDER"/artifacts
bash /template/scripts/build-nginx.sh
bash /template/scripts/remove-build-packages.sh
dpkg --get-selections | grep -v deinstall | diff /run/before -
ls "$BAKE_FOLDER"`;

testUnless(
  nginx,
  missing,
  'build-nginx.sh builds it; with remove-build-packages.sh it leaves behind nothing else',
  () =>
    withCompiled('guide', async (out) => {
      const template = join(out, 'packer');
      const { nginx_build_packages } = JSON.parse(readFileSync(join(template, 'bake.auto.pkrvars.json'), 'utf8')) as {
        nginx_build_packages: string[];
      };
      const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', build], {
        network: 'host',
        // As packer/build.pkr.hcl gives it to every script.
        env: { BAKE_FOLDER: '/var/tmp/bake', NGINX_BUILD_PACKAGES: nginx_build_packages.join(' ') },
        binds: [
          { from: template, to: '/template' },
          { from: join(source.folder, 'nginx-1.22.1.tar.gz'), to: '/nginx.tar.gz' },
          { from: built, to: '/opt/k8s/kube-nginx', writable: true },
        ],
      });
      assert.equal(all, 'added-packages\nartifacts\nquietly.sh');
      assert.equal(exitCode, 0);
    }),
);

/** Runs a script where the compiled rootfs and kube-nginx are installed; `unit KEY` is a line of the compiled unit. */
function inImage(out: string, script: string): Promise<CommandResult> {
  const install = `
set -eu
cp -R /rootfs/. /
cp -R /built/. /opt/k8s/kube-nginx
unit() { sed -n "s/^$1=//p" /etc/systemd/system/kube-nginx.service; }
`;
  return runInRoot(debian.folder, ['bash', '-c', install + script], {
    binds: [
      { from: join(out, 'packer/rootfs'), to: '/rootfs' },
      { from: built, to: '/built' },
    ],
  });
}

testUnless(nginx, missing, 'nginx -V shows the flags of the guide', () =>
  withCompiled('guide', async (out) => {
    const { all } = await inImage(out, '/opt/k8s/kube-nginx/sbin/kube-nginx -V');
    const flags = [
      '--with-stream',
      '--without-http',
      '--prefix=/opt/k8s/kube-nginx',
      '--without-http_uwsgi_module',
      '--without-http_scgi_module',
      '--without-http_fastcgi_module',
    ];
    assert.equal(/^configure arguments: (.*)$/m.exec(all)?.[1], flags.join(' '));
  }),
);

for (const name of caseNames) {
  testUnless(nginx, missing, `${name}: its check before the start passes`, () =>
    withCompiled(name, async (out) => {
      // The name stands in the descriptions, for an apiserver; nginx asks for its address when it starts.
      const check = 'echo 192.0.2.1 apiserver.example.com >> /etc/hosts; $(unit ExecStartPre)';
      const { exitCode, all } = await inImage(out, check);
      assert.equal(exitCode, 0, all);
      assert.match(all, /test is successful/);
      assert.doesNotMatch(all, /\[(warn|error|alert|emerg)\]/);
    }),
  );
}

/** Cases that differ in how they balance, in their PID file or addresses; where kube-nginx listens, and the apiservers. */
const forwarded = [
  { name: 'guide', listen: '127.0.0.1', servers: ['192.168.31.44', '192.168.31.136', '192.168.31.90'] },
  { name: 'guide-literal', listen: '127.0.0.1', servers: ['192.168.31.44', '192.168.31.136', '192.168.31.90'] },
  { name: 'ipv6', listen: '::1', servers: ['fd00:31::44', 'fd00:31::136'] },
];

for (const { name, listen, servers } of forwarded) {
  testUnless(nginx, missing, `${name}: forwards to the apiserver that is there, also after a reload`, () =>
    withCompiled(name, async (out) => {
      // Every apiserver's address is on the loopback; at the last one a program answers, the others refuse.
      const last = servers.at(-1) ?? '';
      const bind = isIPv6(last) ? `TCP6-LISTEN:6443,bind=[${last}]` : `TCP4-LISTEN:6443,bind=${last}`;
      const { exitCode, all } = await inImage(
        out,
        `
for address in ${servers.join(' ')}; do ip address add "$address" dev lo; done
socat ${bind},fork EXEC:cat &
until ss --listening --numeric --tcp | grep -q :6443; do sleep 0.1; done
ask() {
  for byte in a b c d e f; do
    exec 3<> /dev/tcp/${listen}/8443
    echo $byte >&3
    read -r -t 5 answer <&3
    test "$answer" = $byte
    exec 3>&-
  done
}
$(unit ExecStart)
ask
pidfile=$(unit PIDFile)
main=$(cat "\${pidfile:-/opt/k8s/kube-nginx/logs/nginx.pid}")
$(unit ExecReload)
sleep 1
ask
kill -QUIT "$main"
cat /opt/k8s/kube-nginx/logs/error.log`,
      );
      assert.equal(exitCode, 0, all);
      assert.doesNotMatch(all, /\[(alert|crit|emerg)\]/);
      assert.doesNotMatch(all, /no live upstreams/);
    }),
  );
}

// Thirty nodes on one bridge, each with a network of its own in which kube-nginx runs as on a node. At each address of an
// apiserver a program says which one it is.
const thirtyNodes = (servers: readonly string[]): string => `
exec 2> /run/errors
ip link add nodes type bridge
ip link set nodes up
for address in ${servers.join(' ')}; do
  ip address add "$address/24" dev nodes
  socat TCP4-LISTEN:6443,bind="$address",fork,reuseaddr "SYSTEM:echo $address; cat > /dev/null" &
done
for address in ${servers.join(' ')}; do
  until ss --listening --numeric --tcp | grep -q "$address:6443"; do sleep 0.1; done
done
for node in {101..130}; do
  ip netns add "$node"
  ip link add "port$node" master nodes type veth peer name eth0 netns "$node"
  ip link set "port$node" up
  ip -netns "$node" link set lo up
  ip -netns "$node" address add "192.168.31.$node/24" dev eth0
  ip -netns "$node" link set eth0 up
  ip netns exec "$node" $(unit ExecStart)
  ip netns exec "$node" bash -c 'exec 3<> /dev/tcp/127.0.0.1/8443; read -r -t 10 <&3; echo "$REPLY"'
done`;

/** How many of thirty nodes are connected to each apiserver, in the order of the addresses. */
async function spread(name: string, servers: readonly string[]): Promise<number[]> {
  return withCompiled(name, async (out) => {
    const { exitCode, stdout, all } = await inImage(out, thirtyNodes(servers));
    assert.equal(exitCode, 0, all);
    const met = stdout.trim().split('\n');
    assert.equal(met.length, 30, stdout);
    return servers.map((server) => met.filter((line) => line === server).length);
  });
}

testUnless(
  nginx,
  missing,
  'thirty nodes spread over three apiservers, which they do not with the literal line',
  async () => {
    const servers = ['192.168.31.44', '192.168.31.136', '192.168.31.90'];
    const ours = await spread('guide', servers);
    const literal = await spread('guide-literal', servers);
    console.log(`  thirty nodes: ${ours.join(' / ')}; with the guide's own balancing: ${literal.join(' / ')}`);
    // One that does not answer within a second, on a busy machine, is passed over.
    assert.ok(Math.max(...literal) > 25, literal.join(' / '));
    assert.equal(
      ours.reduce((sum, count) => sum + count, 0),
      30,
    );
    // Each connection is as a throw of dice: that one of three is left out happens in one run of 60,000.
    for (const count of ours) assert.ok(count > 0, ours.join(' / '));
  },
);

nginx.run();
