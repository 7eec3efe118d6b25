import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { suite } from 'uvu';
import { create, list } from 'tar';
import { packerPluginRelease } from '../../src/catalog/packer-plugins.ts';
import { packerPlatform } from '../../src/fetch/fetch-artifacts.ts';
import type { Lock } from '../../src/lock/lock.ts';
import {
  bytesOf,
  describeSite,
  mirrorFiles,
  pinnedPauseImage,
  placeOf,
  sha256,
  withoutScheme,
  writeSite,
} from '../support/download-site.ts';
import { serveFiles } from '../support/file-server.ts';
import { readTree } from '../support/read-tree.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// bake lock and bake fetch as a user runs them, with a mirror in a folder. How a line may fail is tested with
// fetchArtifacts.
const main = join(import.meta.dirname, '../../dist/main.js');

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Bake = (command: string) => Promise<Ran>;
type Files = Map<string, Buffer>;

/** A user's folder with a description, a mirror and a cache in it. */
function inSite(work: (bake: Bake, folder: string, files: Files) => Promise<void>, more?: string): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      const files = writeSite(folder, more);
      const env = { XDG_CACHE_HOME: join(folder, 'cache') };
      const bake: Bake = async (command) => {
        const ran = await runBake(command.split(' '), { cwd: folder, env });
        assert.doesNotMatch(`${ran.stdout}${ran.stderr}`, /^\s+at /m, command);
        // What takes longer than a second has a line, on a busy machine.
        return {
          ...ran,
          stderr: ran.stderr.replaceAll(/^((locked|fetched) .*|(locking|fetching|packing|unpacking).*…)\n/gm, ''),
        };
      };
      await work(bake, folder, files);
    });
}

function expectDone({ exitCode, stderr }: Ran, says: RegExp | string): void {
  assert.equal(exitCode, 0, stderr);
  if (typeof says === 'string') assert.equal(stderr, says);
  else assert.match(stderr, says);
}

function expectFailed({ exitCode, stdout, stderr }: Ran, code: string, says: RegExp): void {
  assert.ok(stderr.includes(`error ${code}: `), stderr);
  assert.match(stderr, says);
  assert.deepEqual([exitCode, stdout], [['lock-stale', 'lock-damaged', 'lock-missing'].includes(code) ? 1 : 3, '']);
}

function readLock(folder: string): Lock {
  return JSON.parse(readFileSync(join(folder, 'bake.lock'), 'utf8')) as Lock;
}

function edit(folder: string, from: string | RegExp, to: string): void {
  const path = join(folder, 'cluster.yaml');
  const text = readFileSync(path, 'utf8');
  assert.notEqual(text.replace(from, to), text, `there is no ${String(from)}`);
  writeFileSync(path, text.replace(from, to));
}

const archivedPauseImage = 'sandboxImageArchive: pause.tar, sandboxImage: "registry.k8s.io/pause:3.2"';

const image = ['cni-plugins.tgz', 'containerd.tar.gz', 'crictl.tar.gz', 'kubelet', 'nginx.tar.gz', 'runc'];

// ---------------------------------------------------------------------------------------------------------------- lock

const lock = suite('bake lock');

lock(
  'pins every download, the plugins of every machine that may run Packer included',
  inSite(async (bake, folder, files) => {
    expectDone(await bake('lock'), 'wrote bake.lock: 14 downloads\n');
    const { version, artifacts, ...more } = readLock(folder);
    assert.deepEqual([version, more], [1, {}]);
    const names = artifacts.map(({ name }) => name);
    assert.deepEqual(names, [...names].sort());
    for (const { name, url, size, sha256: digest } of artifacts) {
      const bytes = files.get(withoutScheme(url));
      assert.ok(bytes !== undefined, url);
      assert.deepEqual([name, size, digest], [name, bytes.length, sha256(bytes)]);
    }
    assert.deepEqual(artifacts[2], {
      name: 'crictl.tar.gz',
      component: 'crictl',
      version: '1.17.99',
      architecture: 'amd64',
      url: `https://${placeOf['crictl.tar.gz'] ?? ''}`,
      size: 40_000,
      sha256: sha256(bytesOf('crictl.tar.gz', 40_000)),
    });
    assert.deepEqual(
      names.filter((name) => !name.startsWith('packer-plugin-')),
      image,
    );
    assert.ok(!existsSync(join(folder, 'cache')), 'what has a digest is not downloaded');
  }),
);

lock(
  'asks for nothing that is locked, and writes the same bytes',
  inSite(async (bake, folder) => {
    expectDone(await bake('lock cluster.yaml'), /^wrote/);
    const text = readFileSync(join(folder, 'bake.lock'), 'utf8');
    renameSync(join(folder, 'mirror'), join(folder, 'away'));
    expectDone(await bake('lock'), 'bake.lock is up to date: 14 downloads\n');
    expectDone(await bake('lock --check'), 'bake.lock is up to date\n');
    expectFailed(await bake('lock --update'), 'lock-failed', /14 things could not be locked; no bake.lock is written/);
    renameSync(join(folder, 'away'), join(folder, 'mirror'));
    expectDone(await bake('lock --update'), 'bake.lock is up to date: 14 downloads\n');
    rmSync(join(folder, 'bake.lock'));
    expectDone(await bake('lock'), /^wrote/);
    assert.equal(readFileSync(join(folder, 'bake.lock'), 'utf8'), text);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('.')),
      [],
    );
  }),
);

lock(
  'asks for what changed only, and --check names it',
  inSite(async (bake, folder) => {
    expectDone(await bake('lock'), /^wrote/);
    edit(
      folder,
      /kubelet: \{ version: [\d.]+, sha256: \w+ \}/,
      `kubelet: { version: 1.18.98, sha256: ${'b'.repeat(64)} }`,
    );
    rmSync(join(folder, 'mirror'), { recursive: true });
    const place = join(folder, 'mirror/dl.k8s.io/release/v1.18.98/bin/linux/amd64');
    const stale = await bake('lock --check');
    expectFailed(
      stale,
      'lock-stale',
      /\n {2}kubelet is https:\/\/dl.k8s.io\/release\/v1.18.98\/bin\/linux\/amd64\/kubelet, in bake.lock https:.*v1.18.99.*\n$/,
    );
    expectFailed(await bake('compile cluster.yaml'), 'lock-stale', /run `bake lock`:\n {2}kubelet is /);
    expectFailed(await bake('fetch'), 'lock-stale', /run `bake lock`:\n {2}kubelet is /);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'kubelet'), 'x'.repeat(77));
    expectDone(await bake('lock'), /^wrote/);
    assert.deepEqual(readLock(folder).artifacts.find(({ name }) => name === 'kubelet')?.size, 77);
    expectDone(await bake('compile cluster.yaml'), /^wrote out/);
  }),
);

lock(
  'what the description says of a digest, the lock must say too',
  inSite(async (bake, folder) => {
    expectDone(await bake('lock'), /^wrote/);
    edit(folder, /runc: \{ version: 1.4.99, sha256: \w+ \}/, `runc: { version: 1.4.99, sha256: ${'c'.repeat(64)} }`);
    expectFailed(
      await bake('compile cluster.yaml'),
      'lock-stale',
      /runc has sha256:c+ in the description, in bake.lock sha256:/,
    );
  }),
);

lock(
  'what is needed no more is stale for --check alone',
  inSite(async (bake, folder) => {
    writeFileSync(join(folder, 'pause.tar'), 'pause');
    edit(folder, pinnedPauseImage, archivedPauseImage);
    expectDone(await bake('lock'), 'wrote bake.lock: 15 downloads\n');
    edit(folder, archivedPauseImage, pinnedPauseImage);
    expectFailed(
      await bake('lock --check'),
      'lock-stale',
      /\n {2}sandbox-image.tar is needed no more, and in bake.lock\n$/,
    );
    expectDone(await bake('compile cluster.yaml'), /^wrote out/);
    expectDone(await bake('lock'), 'wrote bake.lock: 14 downloads\n');
  }),
);

lock(
  'downloads what nobody knows the digest of, once, and pins what came',
  inSite(async (bake, folder) => {
    const place = join(folder, 'mirror/github.com/opencontainers/runc/releases/download/v1.9.9');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'runc.amd64'), 'first');
    expectDone(await bake('lock'), /wrote bake.lock/);
    const entry = () => readLock(folder).artifacts.find(({ name }) => name === 'runc');
    assert.deepEqual([entry()?.size, entry()?.sha256], [5, sha256(Buffer.from('first'))]);
    writeFileSync(join(place, 'runc.amd64'), 'second');
    expectDone(await bake('lock'), /up to date/);
    expectDone(await bake('fetch'), /7 came/);
    assert.equal(readFileSync(join(folder, 'cache/bake/sha256', entry()?.sha256 ?? ''), 'utf8'), 'first');
    expectDone(await bake('compile cluster.yaml'), /^wrote/);
    const tsv = readFileSync(join(folder, 'out/packer/artifacts.tsv'), 'utf8');
    assert.ok(tsv.includes(`runc.amd64\t${sha256(Buffer.from('first'))}\n`), 'compile goes by the lock');
  }, 'runc: { version: 1.9.9, trustFirstDownload: true }\n'),
);

lock(
  'finds the digest of a base image in the list of its publisher, and compile hands it to Packer',
  inSite(
    async (bake, folder) => {
      const place = join(folder, 'mirror/images.example.org/bookworm');
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'disk+v1.qcow2'), 'disk');
      const digest = 'ab'.repeat(64);
      writeFileSync(join(place, 'SHA512SUMS'), `${'cd'.repeat(64)}  other.qcow2\n${digest} *disk+v1.qcow2\n`);
      expectDone(await bake('lock'), 'wrote bake.lock: 15 downloads\n');
      assert.deepEqual(readLock(folder).artifacts[0], {
        name: 'base-image',
        component: 'base-image',
        architecture: 'amd64',
        url: 'https://images.example.org/bookworm/disk%2Bv1.qcow2',
        size: 4,
        sha512: digest,
      });
      expectDone(await bake('compile cluster.yaml'), /^wrote/);
      const values = JSON.parse(readFileSync(join(folder, 'out/packer/bake.auto.pkrvars.json'), 'utf8')) as object;
      assert.equal((values as Record<string, unknown>)['qemu_base_image_checksum'], `sha512:${digest}`);
      const { input } = JSON.parse(readFileSync(join(folder, 'out/bake.json'), 'utf8')) as {
        input: Record<string, string>;
      };
      assert.equal(input['bake.lock'], sha256(readFileSync(join(folder, 'bake.lock'))));
      expectFailed(
        await bake('fetch'),
        'fetch-failed',
        /base-image\n {4}file:.*it is not the file that was meant: it has sha512:/,
      );
    },
    `image:
  qemu:
    baseImage:
      url: https://images.example.org/bookworm/disk%2Bv1.qcow2
      checksum: "file:https://images.example.org/bookworm/SHA512SUMS"
`,
  ),
);

lock(
  'names all that cannot be locked, and writes nothing',
  inSite(async (bake, folder) => {
    const { checksums } = packerPluginRelease('qemu', { os: 'linux', architecture: 'amd64' });
    rmSync(join(folder, 'mirror', placeOf['kubelet'] ?? ''));
    writeFileSync(join(folder, 'mirror', withoutScheme(checksums)), 'nothing\n');
    edit(folder, pinnedPauseImage, archivedPauseImage);
    const ran = await bake('lock');
    expectFailed(ran, 'lock-failed', /^error lock-failed: 6 things could not be locked/);
    assert.match(
      ran.stderr,
      /\n {2}kubelet\n {4}file:.*kubelet: there is no such file\n {4}https:\/\/dl.k8s.io.*: there is no such host/,
    );
    assert.match(ran.stderr, /\n {2}sandbox-image.tar\n {4}file:.*pause.tar: there is no such file/);
    assert.match(
      ran.stderr,
      /packer-plugin-qemu_v1.0.9_SHA256SUMS: it does not name packer-plugin-qemu_v1.0.9_x5.0_darwin_amd64.zip/,
    );
    assert.ok(!existsSync(join(folder, 'bake.lock')));
  }),
);

lock(
  'gets the size by GET where HEAD is refused',
  inSite(async (bake, folder, files) => {
    const server = await serveFiles(files, { head: false });
    try {
      rmSync(join(folder, 'mirror/dl.k8s.io'), { recursive: true });
      edit(folder, /mirrors: \[(.*)\]/, `mirrors: [$1, "${server.url}"]`);
      expectDone(await bake('lock'), /wrote bake.lock: 14 downloads\n/);
      assert.deepEqual(
        server.requests.map(({ method }) => method),
        ['HEAD', 'GET'],
      );
    } finally {
      await server.close();
    }
  }),
);

lock(
  'does not take a login page for the size of a file',
  inSite(async (bake, folder) => {
    const login = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Log in to go on.</p>'),
    ).listen(0, '127.0.0.1');
    await once(login, 'listening');
    try {
      edit(folder, /mirrors: \[/, `mirrors: ["http://127.0.0.1:${(login.address() as AddressInfo).port}", `);
      const { exitCode, stderr } = await bake('lock');
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /warning: kubelet is not from http:.*: it is not the file that was meant/);
      assert.equal(readLock(folder).artifacts.find(({ name }) => name === 'runc')?.size, 40_000);
    } finally {
      login.close();
    }
  }),
);

lock(
  'a pause image that the lock has and nobody asks for any more is not used',
  inSite(async (bake, folder) => {
    expectDone(await bake('lock'), /^wrote/);
    const pinned = `example.org/pause@sha256:${'b'.repeat(64)}`;
    edit(folder, /sandboxImage: \S+/, `sandboxImage: "${pinned}"`);
    const path = join(folder, 'bake.lock');
    const before = readLock(folder);
    const sandboxImage = { reference: 'example.org/pause:3', digest: `sha256:${'a'.repeat(64)}` };
    writeFileSync(path, JSON.stringify({ ...before, sandboxImage }));
    expectDone(await bake('compile cluster.yaml'), /^wrote out/);
    const config = readFileSync(join(folder, 'out/packer/rootfs/etc/containerd/config.toml'), 'utf8');
    assert.ok(config.includes(`sandbox_image = "${pinned}"`), config);
  }),
);

lock(
  'a file of the description that was changed is locked anew',
  inSite(async (bake, folder) => {
    writeFileSync(join(folder, 'pause.tar'), 'pause');
    edit(folder, pinnedPauseImage, archivedPauseImage);
    expectDone(await bake('lock'), /^wrote/);
    writeFileSync(join(folder, 'pause.tar'), 'other');
    expectDone(await bake('lock'), /^wrote/);
    const entry = readLock(folder).artifacts.find(({ name }) => name === 'sandbox-image.tar');
    assert.equal(entry?.sha256, sha256(Buffer.from('other')));
  }),
);

/** What an endpoint of EC2 answers; the real one is not for tests. */
const images = `<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><imagesSet>
<item><imageId>ami-0aaa</imageId><name>debian-12-amd64-1</name><creationDate>2024-01-01T00:00:00.000Z</creationDate></item>
<item><imageId>ami-0bbb</imageId><name>debian-12-amd64-2</name><creationDate>2025-01-01T00:00:00.000Z</creationDate></item>
</imagesSet></DescribeImagesResponse>`;

lock(
  'pins the newest AMI by its id, with no noise of the SDK',
  inSite(async (_, folder) => {
    let asked = '';
    const server = createServer((request, response) => {
      request.on('data', (data: Buffer) => (asked += data.toString()));
      request.on('end', () => response.writeHead(200, { 'content-type': 'text/xml' }).end(images));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const keys = { AWS_ACCESS_KEY_ID: 'bake-test', AWS_SECRET_ACCESS_KEY: 'not-a-secret-of-anybody' };
      const AWS_ENDPOINT_URL_EC2 = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const env = { ...process.env, ...keys, AWS_ENDPOINT_URL_EC2, XDG_CACHE_HOME: join(folder, 'cache') };
      const outcome = await outcomeOf(spawn(process.execPath, [main, 'lock'], { cwd: folder, env }));
      // On a busy machine it takes longer than a second, and tells of each.
      assert.match(outcome.said, /^(lock(ing|ed) .*\n)*wrote bake.lock: 14 downloads\n$/);
      assert.equal(outcome.code, 0);
      const place = { region: 'eu-central-1', owner: '136693071363', namePattern: 'debian-12-amd64-*' };
      assert.deepEqual(readLock(folder).ami, { ...place, id: 'ami-0bbb', name: 'debian-12-amd64-2' });
      const query = new URLSearchParams(asked);
      assert.equal(query.get('Action'), 'DescribeImages');
      assert.deepEqual([query.get('Owner.1'), query.get('IncludeDeprecated')], [place.owner, 'true']);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }, 'image: { os: debian-12, cgroup: v1, source: amazon-ebs, amazonEbs: { region: eu-central-1 } }\n'),
);

lock(
  'a damaged lock is told, and left alone',
  inSite(async (bake, folder) => {
    expectDone(await bake('lock'), /^wrote/);
    const path = join(folder, 'bake.lock');
    const text = readFileSync(path, 'utf8');
    for (const [damage, says] of [
      [
        text.replace('  "art', '<<<<<<< HEAD\n  "art'),
        /run `bake lock`:\n {2}bake.lock:3:1 here a merge was left undecided\n$/,
      ],
      [text.slice(0, 100), /\n {2}bake.lock:6:\d+ it is not JSON \(.*\)\n$/],
      ['', /\n {2}bake.lock:1:1 it is not JSON\n$/],
      [text.replace('"version": 1', '"version": 2'), /\n {2}bake.lock:2:14 version: /],
      [
        text.replace('"name": "kubelet"', '"name": "../kubelet"').replace('"name": "runc"', '"nome": "runc"'),
        /\n {2}bake.lock:\d+:15 artifacts.3.name: .*(\n {2}bake.lock:\d+:5 artifacts.\d+(.name)?: .*){2}\n$/,
      ],
      [
        text.replace('"name": "kubelet"', '"name": "runc"'),
        /\n {2}bake.lock:\d+:5 artifacts.\d+: runc stands in it twice/,
      ],
    ] as const) {
      writeFileSync(path, damage);
      for (const command of ['lock', 'lock --check', 'fetch', 'compile cluster.yaml']) {
        expectFailed(await bake(command), 'lock-damaged', says);
      }
      assert.equal(readFileSync(path, 'utf8'), damage);
    }
  }),
);

lock(
  '--json is one object on stdout',
  inSite(async (bake, folder) => {
    const first = await bake('lock --json');
    assert.equal(first.stderr, '');
    const bytes = readLock(folder).artifacts.reduce((sum, { size }) => sum + size, 0);
    const summary = { good: true, file: 'cluster.yaml', lock: 'bake.lock', artifacts: 14, bytes };
    assert.deepEqual(JSON.parse(first.stdout), { ...summary, changed: true });
    assert.deepEqual(JSON.parse((await bake('lock --json --check')).stdout), { ...summary, changed: false });
  }),
);

// --------------------------------------------------------------------------------------------------------------- fetch

const fetching = suite('bake fetch');

fetching(
  'locks where there is no lock, fills the cache, and asks nobody the second time',
  inSite(async (bake, folder, files) => {
    expectDone(
      await bake('fetch'),
      'there was no bake.lock: wrote it; keep it with the description\n8 files in the cache: 8 came, 0.2 MB\n',
    );
    const cached = [...readTree(join(folder, 'cache/bake/sha256'))];
    for (const [name, bytes] of cached) assert.equal(sha256(bytes), name);
    assert.equal(cached.length, 8, 'of the plugins, those of this machine');
    rmSync(join(folder, 'mirror'), { recursive: true });
    expectDone(await bake('fetch --verify'), '8 files in the cache: all were there\n');
    const { stdout } = await bake('fetch --json');
    const { files: paths, ...summary } = JSON.parse(stdout) as { files: Record<string, string> };
    assert.deepEqual(summary, { good: true, file: 'cluster.yaml', downloaded: 0, bytes: 0 });
    const here = packerPlatform();
    assert.ok(here !== undefined);
    const plugins = (['amazon', 'qemu'] as const).map((plugin) => packerPluginRelease(plugin, here).fileName);
    assert.deepEqual(Object.keys(paths).sort(), [...image, ...plugins].sort());
    assert.ok(readFileSync(paths['kubelet'] ?? '').equals(files.get(placeOf['kubelet'] ?? '') ?? Buffer.alloc(0)));
  }),
);

fetching(
  'what it remembers of the last time counts as long as nothing changed',
  inSite(async (bake, folder) => {
    expectDone(await bake('fetch'), /8 came/);
    expectDone(await bake('fetch'), '8 files in the cache: all were there\n');
    const [first = ''] = readdirSync(join(folder, 'cache/bake/sha256'));
    rmSync(join(folder, 'cache/bake/sha256', first));
    expectDone(await bake('fetch'), '8 files in the cache: 1 came, 0.0 MB\n');
    edit(folder, '1.18.99, sha256', '1.18.98, sha256');
    expectFailed(await bake('fetch'), 'lock-stale', /kubelet is /);
    edit(folder, '1.18.98, sha256', '1.18.99, sha256');
    expectDone(await bake('fetch'), '8 files in the cache: all were there\n');
    rmSync(join(folder, 'bake.lock'));
    expectDone(await bake('fetch'), /^there was no bake.lock: wrote it/);
  }),
);

fetching(
  '-o lays out the files of the image by their names, and replaces what it laid out',
  inSite(async (bake, folder) => {
    expectDone(await bake('fetch -o deep/artifacts'), /; wrote deep\/artifacts\n$/);
    const laid = join(folder, 'deep/artifacts');
    assert.deepEqual(readdirSync(laid).sort(), image);
    const digest = sha256(readFileSync(join(laid, 'kubelet')));
    assert.equal(statSync(join(laid, 'kubelet')).ino, statSync(join(folder, 'cache/bake/sha256', digest)).ino);
    rmSync(join(laid, 'runc'));
    expectDone(await bake('fetch -o deep/artifacts'), /wrote/);
    assert.deepEqual(readdirSync(laid).sort(), image);

    writeFileSync(join(laid, 'mine'), 'mine');
    expectFailed(await bake('fetch -o deep/artifacts'), 'output-not-ours', /artifacts is a folder with mine in it/);
    assert.deepEqual(readdirSync(laid).sort(), [...image, 'mine'].sort());
    expectFailed(await bake('fetch -o cluster.yaml'), 'output-not-ours', /cluster.yaml is no folder/);
    assert.deepEqual(readdirSync(join(folder, 'deep')), ['artifacts'], 'nothing is left over');
  }),
);

fetching(
  'the pause image is a file of the user, and locked as the others',
  inSite(async (bake, folder) => {
    writeFileSync(join(folder, 'pause.tar'), 'pause');
    edit(folder, pinnedPauseImage, archivedPauseImage);
    expectDone(await bake('fetch -o artifacts'), /9 files in the cache: 9 came/);
    assert.equal(readFileSync(join(folder, 'artifacts/sandbox-image.tar'), 'utf8'), 'pause');
    rmSync(join(folder, 'cache'), { recursive: true });
    writeFileSync(join(folder, 'pause.tar'), 'pausf');
    expectFailed(
      await bake('fetch'),
      'fetch-failed',
      /\n {2}sandbox-image.tar\n {4}file:.*it is not the file that was meant/,
    );
  }),
);

fetching(
  'a bundle carries all of it to where there is no network, and is the same each time',
  inSite(async (bake, folder) => {
    expectDone(await bake('fetch --pack one/bundle.tar'), /; wrote one\/bundle.tar\n$/);
    expectDone(await bake('fetch --pack two.tar'), /; wrote two.tar\n$/);
    const bundle = readFileSync(join(folder, 'two.tar'));
    assert.ok(readFileSync(join(folder, 'one/bundle.tar')).equals(bundle));
    assert.deepEqual(readdirSync(join(folder, 'one')), ['bundle.tar']);
    expectDone(await bake('fetch --pack one/bundle.tar'), /; wrote/);
    // A forgotten name.
    expectFailed(await bake('fetch --pack cluster.yaml'), 'output-not-ours', /cluster.yaml is there already and is no/);
    expectFailed(await bake('fetch --pack one'), 'output-not-ours', /one is there already and is no bundle/);
    for (const name of ['mirror', 'cache']) rmSync(join(folder, name), { recursive: true });
    expectDone(
      await bake('fetch --from two.tar -o artifacts'),
      /^8 files in the cache: all were there; wrote artifacts\n$/,
    );
    assert.equal(readdirSync(join(folder, 'cache/bake/sha256')).length, 14, 'the plugins of every machine');
    for (const [name, bytes] of readTree(join(folder, 'cache/bake/sha256'))) assert.equal(sha256(bytes), name);
    assert.deepEqual(readdirSync(join(folder, 'cache/bake/parts')), []);
  }),
);

fetching(
  'of a bundle takes what the lock names, and refuses everything else, wherever it would lead',
  inSite(async (bake, folder) => {
    expectDone(await bake('fetch --pack good.tar'), /wrote/);
    const cache = join(folder, 'cache/bake');
    const packed = join(folder, 'packed');
    cpSync(join(cache, 'sha256'), join(packed, 'sha256'), { recursive: true });
    const [first = '', second = ''] = readdirSync(join(cache, 'sha256'));
    writeFileSync(join(folder, 'escaped'), 'escaped');
    rmSync(join(packed, 'sha256', first));
    writeFileSync(join(packed, 'sha256', first), readFileSync(join(cache, 'sha256', first)).reverse());
    mkdirSync(join(packed, 'sha256', 'a folder'));
    rmSync(join(packed, 'sha256', second));
    await import('node:fs').then(({ symlinkSync }) => symlinkSync('/etc/passwd', join(packed, 'sha256', second)));
    const bad = ['sha256', `sha256/${first}`, '../escaped'];
    await create({ cwd: packed, file: join(folder, 'bad.tar'), preservePaths: true }, bad);
    rmSync(join(folder, 'cache'), { recursive: true });
    const ran = await bake('fetch --from bad.tar');
    expectFailed(ran, 'bundle-refused', /bad.tar is refused; pack it again by `bake fetch --pack`:\n/);
    assert.match(ran.stderr, /\n {2}"sha256\/a folder\/" in it is not in bake.lock/);
    assert.match(ran.stderr, /\n {2}"..\/escaped" in it is not in bake.lock/);
    assert.match(ran.stderr, new RegExp(`"sha256/${second}" in it is no file`));
    assert.match(ran.stderr, new RegExp(`"sha256/${first}" is in it twice`));
    assert.match(ran.stderr, new RegExp(`in it has sha256:\\w+, and sha256:${first} is wanted`));
    assert.ok(!existsSync(join(cache, 'sha256', first)));
    assert.equal(readdirSync(join(cache, 'sha256')).length, 12, 'what is right is kept');
    assert.deepEqual(readdirSync(join(cache, 'parts')), []);

    rmSync(join(folder, 'cache'), { recursive: true });
    truncateSync(join(folder, 'good.tar'), 100_000);
    expectFailed(await bake('fetch --from good.tar'), 'bundle-refused', /TAR_BAD_ARCHIVE|Truncated/);
    expectFailed(
      await bake('fetch --from no.tar'),
      'bundle-refused',
      /no.tar does not exist; name what `bake fetch --p/,
    );
    // Whoever reads a pipe waits for somebody to write.
    await execa('mkfifo', [join(folder, 'pipe')]);
    await execa('ln', ['-s', 'loop', join(folder, 'loop')]);
    expectFailed(await bake('fetch --from loop'), 'bundle-refused', /cannot read .*loop: ELOOP.*; name what/);
    expectFailed(await bake('fetch --from pipe'), 'bundle-refused', /pipe is no file; name what `bake fetch --pack`/);
    appendFileSync(join(folder, 'noise.tar'), bytesOf('noise', 5000));
    expectFailed(await bake('fetch --from noise.tar'), 'bundle-refused', /noise.tar is refused/);
    const cut = gzipSync(readFileSync(join(folder, 'good.tar'))).subarray(0, 50_000);
    writeFileSync(join(folder, 'cut.tar.gz'), cut);
    expectFailed(await bake('fetch --from cut.tar.gz'), 'bundle-refused', /cut.tar.gz is refused/);
    writeFileSync(join(folder, 'damaged.tar.gz'), cut.fill(7, 30_000));
    expectFailed(await bake('fetch --from damaged.tar.gz'), 'bundle-refused', /damaged.tar.gz is refused/);
    assert.deepEqual(readdirSync(join(cache, 'parts')), []);
    assert.equal((await bake('fetch --from a --pack b')).exitCode, 2);
    rmSync(join(folder, 'bake.lock'));
    expectFailed(
      await bake('fetch --from good.tar'),
      'lock-missing',
      /there is no bake\.lock, by which .*; bring the one/,
    );
    assert.ok(!existsSync(join(folder, 'bake.lock')));
  }),
);

fetching(
  'a bundle that lacks a file is made up for by the sources',
  inSite(async (bake, folder) => {
    expectDone(await bake('fetch'), /8 came/);
    const [first = ''] = readdirSync(join(folder, 'cache/bake/sha256'));
    await create({ cwd: join(folder, 'cache/bake'), file: join(folder, 'one.tar') }, [`sha256/${first}`]);
    const names: string[] = [];
    await list({ file: join(folder, 'one.tar'), onReadEntry: ({ path }) => names.push(path) });
    assert.deepEqual(names, [`sha256/${first}`]);
    rmSync(join(folder, 'cache'), { recursive: true });
    expectDone(await bake('fetch --from one.tar'), /^8 files in the cache: 7 came/);
  }),
);

/** A site whose files come slowly, from a server. */
function inSlowSite(
  work: (folder: string, files: Files, start: () => ReturnType<typeof spawn>) => Promise<void>,
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      writeSite(folder);
      const files = mirrorFiles((name) => (name === 'kubelet' ? 1_500_000 : 200_000));
      const server = await serveFiles(files, { slow: 60_000 });
      writeFileSync(join(folder, 'cluster.yaml'), describeSite(files, [`file://${join(folder, 'lists')}`, server.url]));
      // Lists are not believed by plain HTTP.
      for (const [path, bytes] of files) {
        if (!path.endsWith('SHA256SUMS')) continue;
        mkdirSync(join(folder, 'lists', path, '..'), { recursive: true });
        writeFileSync(join(folder, 'lists', path), bytes);
      }
      const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
      try {
        assert.equal((await runBake(['lock'], { cwd: folder })).exitCode, 0);
        await work(folder, files, () => spawn(process.execPath, [main, 'fetch'], { cwd: folder, env }));
      } finally {
        await server.close();
      }
    });
}

async function outcomeOf(child: ReturnType<typeof spawn>): Promise<{ code: number | null; said: string }> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (said += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

function expectWholeCache(folder: string): void {
  const cache = join(folder, 'cache/bake');
  const cached = [...readTree(join(cache, 'sha256'))];
  assert.equal(cached.length, 8);
  for (const [name, bytes] of cached) assert.equal(sha256(bytes), name);
  assert.deepEqual(readdirSync(join(cache, 'parts')), []);
}

fetching(
  'killed at any moment, leaves nothing wrong; the next run goes on',
  inSlowSite(async (folder, _, start) => {
    let cut = 0;
    for (let after = 150; ; after += 90) {
      const child = start();
      const outcome = outcomeOf(child);
      const first = await Promise.race([outcome, setTimeout(after)]);
      if (first !== undefined) {
        assert.equal(first.code, 0, first.said);
        break;
      }
      child.kill('SIGKILL');
      await outcome;
      cut++;
      const kept = join(folder, 'cache/bake/sha256');
      if (!existsSync(kept)) continue;
      for (const [name, bytes] of readTree(kept)) assert.equal(sha256(bytes), name, `killed after ${after} ms`);
    }
    assert.ok(cut >= 3, `${cut} times`);
    expectWholeCache(folder);
  }),
);

fetching(
  'two at once on one cache both get what they want',
  inSlowSite(async (folder, _, start) => {
    const outcomes = await Promise.all([start(), start()].map(outcomeOf));
    for (const { code, said } of outcomes) assert.equal(code, 0, said);
    expectWholeCache(folder);
  }),
);

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  fetching(
    `stopped by ${signal}, ends at once, and says nothing`,
    inSlowSite(async (folder, _, start) => {
      const child = start();
      const outcome = outcomeOf(child);
      const parts = join(folder, 'cache/bake/parts');
      while (!existsSync(parts) || readdirSync(parts).length === 0) {
        assert.equal(child.exitCode, null);
        await setTimeout(5);
      }
      await setTimeout(100);
      const stopped = performance.now();
      child.kill(signal);
      assert.deepEqual(await outcome, { code: exitCode, said: '' });
      assert.ok(performance.now() - stopped < 1000);
    }),
  );
}

lock.run();
fetching.run();
