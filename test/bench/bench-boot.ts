import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { readTokenStore, tokenStoreOf } from '../../src/edges/token-store.ts';
import { Authority } from '../../src/rehearse/authority.ts';
import { standInApi } from '../../src/rehearse/stand-in-api.ts';
import { startAptRelay } from '../support/apt-relay.ts';
import { bakeClusterImage, type BakedImage } from '../support/baked-image.ts';
import { bootNode } from '../support/booted-node.ts';
import { withBundle } from '../support/bundle.ts';
import { writeImageArchive } from '../support/image-archive.ts';
import { pauseImage } from '../support/image-command.ts';
import { linkToThisMachine } from '../support/link.ts';
import { missingForBake } from '../support/real-bake.ts';
import { eventually } from '../support/virtual-machine.ts';
import { tryPart } from '../support/try-part.ts';

// From the start of the container to kubelet up, and to its request for a certificate: a node that was baked, and the same node
// from the image that the bake started from, which its first boot brings up by the guide's own sequence. Both have one
// user-data but for that, and one stand-in of the apiserver; downloads and packages come from this machine.
const ROUNDS = 3;

if (missingForBake !== undefined) throw new Error(missingForBake);
const machines = (await tryPart('machines')).folder;
const base = (await tryPart('debian-12-cloud')).folder;

const name = 'node1';
const link = linkToThisMachine(machines);
const identity = { name, address: link.address, user: `system:node:${name}` };

await withBundle(join(import.meta.dirname, 'serve-folder.ts'), async (script) => {
  const folder = mkdtempSync(join(tmpdir(), 'bake-bench-'));
  // The node's end of the link is not there yet, and this one neither.
  const relay = await startAptRelay('0.0.0.0', link.gateway);
  const mirror = spawn(process.execPath, [script, join(folder, 'mirror'), '0.0.0.0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(mirror.stdout, 'data')) as [Buffer];
    await compare(folder, { archive: relay.archive, downloads: `http://${link.gateway}:${port.toString().trim()}` });
  } finally {
    mirror.kill();
    relay.close();
    rmSync(folder, { recursive: true });
  }
});

interface Sources {
  readonly archive: string;
  readonly downloads: string;
}

async function compare(folder: string, sources: Sources): Promise<void> {
  const authority = new Authority(new Date());
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  await writeImageArchive(join(folder, 'pause.tar'), pauseImage);
  const host0 = { name: 'host0', addresses: [`${link.address}/30`], gateway: link.gateway };
  const image = await bakeClusterImage(folder, {
    controlPlane: { apiServers: [`${link.gateway}:6443`], certificateAuthority: 'ca.pem' },
    nodes: [{ name, address: link.address, interfaces: [host0] }],
  });
  const userData = readFileSync(join(folder, 'out/nodes', name, 'user-data'), 'utf8');
  const unbaked = await withFirstBoot(userData, folder, sources);
  const rounds: Record<string, Up[]> = { baked: [], unbaked: [] };
  for (let round = 0; round < ROUNDS; round++) {
    rounds['baked']?.push(await boot(folder, authority, image, userData));
    rounds['unbaked']?.push(await boot(folder, authority, { machines, root: base }, unbaked));
  }
  for (const [which, all] of Object.entries(rounds)) {
    for (const stage of ['kubelet', 'request'] as const)
      printSeconds(
        `${which}, ${stage}`,
        all.map((up) => up[stage]),
      );
  }
}

/** User-data that also brings what an image would have, and installs it: the guide's sequence, as a unit. */
async function withFirstBoot(userData: string, folder: string, { archive, downloads }: Sources): Promise<string> {
  const template = join(folder, 'out/packer');
  const packed = join(folder, 'template.tgz');
  for (const script of ['guide-image.sh', 'guide-node.sh']) {
    copyFileSync(join(import.meta.dirname, script), join(template, script));
  }
  await execa('tar', ['--create', '--gzip', '--file', packed, '--directory', template, '.']);
  const variables = JSON.parse(readFileSync(join(template, 'bake.auto.pkrvars.json'), 'utf8')) as Variables;
  const environment = {
    APT_ARCHIVE: archive,
    GUIDE_PACKAGES: variables.packages.join(' '),
    K8S_DIR: variables.kubelet_directory,
    CONTAINERD_DIR: variables.containerd_directory,
    RESOLV_CONF: variables.resolv_conf,
  };
  const urls = readFileSync(join(template, 'artifacts.tsv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '')
    .filter((url) => url.startsWith('https:'))
    .map((url) => url.replace('https:/', downloads));
  const config = parse(userData) as { write_files: object[] };
  const content = readFileSync(packed, 'base64');
  config.write_files.push({ path: '/root/template.tgz', encoding: 'b64', content });
  const settings = Object.entries(environment).map(([key, value]) => `--setenv=${key}=${value}`);
  const runcmd = [
    ['mkdir', '/root/template'],
    ['tar', '--extract', '--gzip', '--file', '/root/template.tgz', '--directory', '/root/template'],
    // cloud-init does not wait, so that the boot is over when it is.
    ['systemd-run', '--no-block', ...settings, 'bash', '/root/template/guide-node.sh', '/root/template', ...urls],
  ];
  return `#cloud-config\n${stringify({ ...config, runcmd })}`;
}

interface Variables {
  readonly packages: readonly string[];
  readonly kubelet_directory: string;
  readonly containerd_directory: string;
  readonly resolv_conf: string;
}

/** In seconds: until systemd has started kubelet, until kubelet's request for a certificate has come. */
interface Up {
  readonly kubelet: number;
  readonly request: number;
}

async function boot(
  folder: string,
  authority: Authority,
  system: Pick<BakedImage, 'machines' | 'root'>,
  userData: string,
): Promise<Up> {
  const token = readTokenStore(tokenStoreOf(join(folder, 'cluster.yaml'))).tokens.get(name);
  if (token === undefined) throw new Error(`no token was issued for ${name}`);
  const { server, asked } = standInApi({ identity, authority, token, host: '127.0.0.1' }, () => new Date());
  const read = (file: string) => readFileSync(join(folder, 'out/nodes', name, file), 'utf8');
  const seed = { 'meta-data': read('meta-data'), 'user-data': userData, 'network-config': read('network-config') };
  let from = 0;
  const node = await bootNode(system, seed, async (pid) => {
    await link.plug(pid);
    server.listen(6443, link.gateway);
    await once(server, 'listening');
    from = performance.now();
  });
  try {
    const posted = await eventually('a request for a certificate', 600, () => asked.find(({ request }) => request)?.at);
    const monotonic = async (unit: string, property: string) =>
      Number((await node.run(`systemctl show --property=${property} --value ${unit}`)).stdout);
    const kubelet = await monotonic('kubelet.service', 'ActiveEnterTimestampMonotonic');
    const began = await monotonic('', 'UserspaceTimestampMonotonic');
    return { kubelet: (kubelet - began) / 1e6, request: (posted - from) / 1000 };
  } finally {
    server.close();
    server.closeAllConnections();
    await node.end();
  }
}

function printSeconds(what: string, seconds: readonly number[]): void {
  const sorted = seconds.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  console.log(`${median.toFixed(1).padStart(8)} s  ${what}; all: ${seconds.map((s) => s.toFixed(1)).join(' ')}`);
}
