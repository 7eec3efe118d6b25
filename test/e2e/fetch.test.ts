import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, sign as createSignature } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { suite } from 'uvu';
import type { Lock } from '../../src/lock/lock.ts';
import { describeSite, writeSite } from '../support/download-site.ts';
import { freePort } from '../support/free-port.ts';
import { testUnless } from '../support/skip.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';
import { tryPart } from '../support/try-part.ts';

// bake lock and bake fetch with a real S3, a real registry of images, TLS through a proxy, and a disk that fills up.
const fetching = suite('bake fetch, with real servers');
const main = join(import.meta.dirname, '../../dist/main.js');

const [versitygw, registry] = [await tryPart('versitygw'), await tryPart('docker-registry')];

async function bake(folder: string, command: string, env: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [main, ...command.split(' ')], {
    cwd: folder,
    env: { HTTP_PROXY: '', HTTPS_PROXY: '', XDG_CACHE_HOME: join(folder, 'cache'), ...env },
    reject: false,
  });
}

async function whileRunning<T>(child: ChildProcess, port: number, work: () => Promise<T>): Promise<T> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data: Buffer) => (said += data.toString()));
  try {
    for (let waited = 0; ; waited++) {
      const socket = connect(port, '127.0.0.1');
      const up = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      socket.destroy();
      if (up === true) break;
      assert.ok(child.exitCode === null && waited < 200, said);
      await setTimeout(50);
    }
    return await work();
  } finally {
    child.kill('SIGKILL');
  }
}

testUnless(fetching, versitygw.missing, 'takes files from S3, with the credentials of the environment', () =>
  inTemporaryFolder(async (folder) => {
    const port = await freePort();
    const keys = { access: 'bake-test', secret: 'not-a-secret-of-anybody' };
    const files = writeSite(folder);
    mkdirSync(join(folder, 'buckets'));
    cpSync(join(folder, 'mirror'), join(folder, 'buckets/mirrors/pre fix'), { recursive: true });
    writeFileSync(join(folder, 'cluster.yaml'), describeSite(files, ['s3://mirrors/none', 's3://mirrors/pre fix']));
    const env = { ROOT_ACCESS_KEY: keys.access, ROOT_SECRET_KEY: keys.secret };
    const argv = ['--port', `127.0.0.1:${port}`, 'posix', join(folder, 'buckets')];
    const child = spawn(join(versitygw.folder, 'versitygw'), argv, { env: { ...process.env, ...env } });
    const aws = {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: keys.access,
      AWS_SECRET_ACCESS_KEY: keys.secret,
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    await whileRunning(child, port, async () => {
      const done = await bake(folder, 'fetch', aws);
      // What takes longer than a second has a line, on a busy machine.
      assert.equal(
        done.stderr.replaceAll(/^(locked|fetched) .*\n/gm, ''),
        'there was no bake.lock: wrote it; keep it with the description\n8 files in the cache: 8 came, 0.2 MB',
      );
      for (const name of readdirSync(join(folder, 'cache/bake/sha256'))) {
        const bytes = readFileSync(join(folder, 'cache/bake/sha256', name));
        assert.equal(createHash('sha256').update(bytes).digest('hex'), name);
      }
      rmSync(join(folder, 'cache'), { recursive: true });
      const refused = await bake(folder, 'fetch', { ...aws, AWS_SECRET_ACCESS_KEY: 'another' });
      assert.equal(refused.exitCode, 3);
      assert.match(
        refused.stderr,
        /\n {4}s3:\/\/mirrors\/pre fix\/.*: it answers SignatureDoesNotMatch: .*\(HTTP 403\)\n/,
      );
      assert.doesNotMatch(refused.stderr, /another|Node/);
      const nobody = await bake(folder, 'fetch', {
        ...aws,
        AWS_ACCESS_KEY_ID: '',
        AWS_SECRET_ACCESS_KEY: '',
        HOME: folder,
      });
      assert.match(
        nobody.stderr,
        /: there are no credentials for it: .*; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/,
      );
    });
  }),
);

/** An image without layers, and two indices of it: 3.2 for the machines of the tests, 3.2-foreign for others. */
function imageFiles(): { manifests: Map<string, Buffer>; config: Buffer; index: Buffer } {
  const digest = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const config = json({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } });
  const oci = 'application/vnd.oci.image';
  const manifest = json({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, digest: digest(config), size: config.length },
    layers: [],
  });
  const indexOf = (architectures: readonly string[]): Buffer =>
    json({
      schemaVersion: 2,
      mediaType: `${oci}.index.v1+json`,
      manifests: architectures.map((architecture) => ({
        mediaType: `${oci}.manifest.v1+json`,
        digest: digest(manifest),
        size: manifest.length,
        platform: { os: 'linux', architecture },
      })),
    });
  const index = indexOf(['amd64', 's390x']);
  const manifests = new Map([
    [digest(manifest), manifest],
    ['3.2', index],
    ['3.2-foreign', indexOf(['arm64', 's390x'])],
  ]);
  return { manifests, config, index };
}

/**
 * A registry with the image k8s/pause:3.2 in it.
 * @param auth of its configuration
 * @param headers by which it lets the image be pushed
 */
async function withRegistry(
  folder: string,
  { auth = '', headers = {} }: { auth?: string; headers?: Readonly<Record<string, string>> },
  work: (reference: string, digest: string) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/v2/k8s/pause`;
  const configuration = join(folder, 'registry.yml');
  const storage = `storage: { filesystem: { rootdirectory: ${folder}/images } }`;
  writeFileSync(configuration, `version: 0.1\n${storage}\nhttp: { addr: 127.0.0.1:${port} }\n${auth}`);
  const child = spawn(join(registry.folder, 'docker-registry'), ['serve', configuration]);
  await whileRunning(child, port, async () => {
    const { manifests, config, index } = imageFiles();
    const put = async (place: string, body: Buffer, type: string): Promise<void> => {
      const sent = { method: 'PUT', body, headers: { ...headers, 'content-type': type } };
      const answer = await fetch(place, sent);
      assert.equal(answer.status, 201, await answer.text());
    };
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers });
    const place = new URL(begun.headers.get('location') ?? '', base);
    place.searchParams.set('digest', `sha256:${createHash('sha256').update(config).digest('hex')}`);
    await put(place.href, config, 'application/octet-stream');
    for (const [tag, body] of manifests) {
      const kind = tag.startsWith('sha256:') ? 'manifest' : 'index';
      await put(`${base}/manifests/${tag}`, body, `application/vnd.oci.image.${kind}.v1+json`);
    }
    const digest = `sha256:${createHash('sha256').update(index).digest('hex')}`;
    await work(`127.0.0.1:${port}/k8s/pause:3.2`, digest);
  });
}

/** A site whose pause image is asked for. */
function writeSiteOf(folder: string): (reference: string) => void {
  const files = writeSite(folder);
  return (reference) => {
    const text = describeSite(files, [`file://${join(folder, 'mirror')}`]);
    writeFileSync(join(folder, 'cluster.yaml'), text.replace(/registry.k8s.io\/pause@sha256:0+/, reference));
  };
}

testUnless(fetching, registry.missing, 'asks a registry for the digest of the pause image', () =>
  inTemporaryFolder(async (folder) => {
    const describe = writeSiteOf(folder);
    await withRegistry(folder, {}, async (reference, digest) => {
      describe(reference);
      const { exitCode, stderr } = await bake(folder, 'lock');
      assert.equal(exitCode, 0, stderr);
      const lock = JSON.parse(readFileSync(join(folder, 'bake.lock'), 'utf8')) as Lock;
      assert.deepEqual(lock.sandboxImage, { reference, digest });

      describe(reference.replace('3.2', '9.9'));
      const missing = await bake(folder, 'lock');
      assert.equal(missing.exitCode, 3);
      assert.match(
        missing.stderr,
        /\n {2}the pause image\n {4}http:.*\/manifests\/9.9: it has no such file \(HTTP 404\)$/,
      );

      describe(`${reference}-foreign`);
      const foreign = await bake(folder, 'lock');
      assert.equal(foreign.exitCode, 3);
      assert.match(foreign.stderr, /^error lock-failed: /m);
      const has = 'it has no linux/amd64 of this image, only linux/arm64, linux/s390x';
      assert.ok(foreign.stderr.endsWith(`/manifests/3.2-foreign: ${has}`), foreign.stderr);
    });
  }),
);

/**
 * The server that a registry sends strangers to: https://distribution.github.io/distribution/spec/auth/jwt/
 * @param answer to a request, by its query
 */
async function withTokenServer(
  folder: string,
  answer: (query: URLSearchParams) => { status: number; token?: string },
  work: (auth: string, sign: (actions: string[]) => string) => Promise<void>,
): Promise<void> {
  const [keyFile, certificate] = [join(folder, 'token.key'), join(folder, 'token.crt')];
  await makeCertificate(keyFile, certificate, 'keyUsage=digitalSignature,keyCertSign');
  const chain = [readFileSync(certificate, 'utf8').replaceAll(/-----.*-----|\n/g, '')];
  const sign = (actions: string[]): string => {
    const now = Math.floor(Date.now() / 1000);
    const access = [{ type: 'repository', name: 'k8s/pause', actions }];
    const claims = { iss: 'bake-test', aud: 'registry', sub: '', jti: 'a', nbf: now - 60, exp: now + 600, access };
    const parts = [{ typ: 'JWT', alg: 'ES256', x5c: chain }, claims];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const key = { key: readFileSync(keyFile), dsaEncoding: 'ieee-p1363' } as const;
    return `${text}.${createSignature('sha256', Buffer.from(text), key).toString('base64url')}`;
  };
  const server = createPlainServer((request, response) => {
    const { status, token } = answer(new URL(request.url ?? '', 'http://localhost').searchParams);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ token }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  try {
    const auth = { realm, service: 'registry', issuer: 'bake-test', rootcertbundle: certificate };
    await work(`auth: { token: ${JSON.stringify(auth)} }\n`, sign);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

testUnless(fetching, registry.missing, 'gets the token that a registry gives to strangers', () =>
  inTemporaryFolder(async (folder) => {
    const describe = writeSiteOf(folder);
    const queries: Record<string, string>[] = [];
    let gives: { status: number; token?: string } = { status: 403 };
    const answer = (query: URLSearchParams): typeof gives => {
      queries.push(Object.fromEntries(query));
      return gives;
    };
    await withTokenServer(folder, answer, async (auth, sign) => {
      const headers = { authorization: `Bearer ${sign(['pull', 'push'])}` };
      await withRegistry(folder, { auth, headers }, async (reference, digest) => {
        describe(reference);
        for (const [given, says] of [
          [{ status: 403 }, 'it refuses (HTTP 403)'],
          [{ status: 200 }, 'it gives no token to strangers'],
          [{ status: 200, token: sign([]) }, 'it wants a login (HTTP 401)'],
        ] as const) {
          gives = given;
          const { exitCode, stderr } = await bake(folder, 'lock');
          assert.equal(exitCode, 3);
          assert.match(stderr, /^error lock-failed: one thing could not be locked; .*:?\n {2}the pause image\n/m);
          assert.ok(stderr.endsWith(`/manifests/3.2: ${says}`), stderr);
        }
        gives = { status: 200, token: sign(['pull']) };
        const { exitCode, stderr } = await bake(folder, 'lock');
        assert.equal(exitCode, 0, stderr);
        const lock = JSON.parse(readFileSync(join(folder, 'bake.lock'), 'utf8')) as Lock;
        assert.deepEqual(lock.sandboxImage, { reference, digest });
        const scope = 'repository:k8s/pause:pull';
        assert.deepEqual(queries, Array(4).fill({ service: 'registry', scope }), 'once each');
      });
    });
  }),
);

/**
 * A mirror with a certificate of its own, at mirror.example.org and releases.example.org, which a proxy alone can find.
 * @param location where the mirror redirects a path to; undefined: it has the file
 */
async function withTlsMirror(
  folder: string,
  files: ReadonlyMap<string, Buffer>,
  location: (host: string, path: string) => string | undefined,
  work: (proxy: string, certificate: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const [key, certificate] = [join(folder, 'mirror.key'), join(folder, 'mirror.crt')];
  await makeCertificate(key, certificate, 'subjectAltName=DNS:mirror.example.org,DNS:releases.example.org');
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const path = (request.url ?? '').slice(1);
    const elsewhere = location(request.headers.host ?? '', path);
    const file = elsewhere === undefined ? files.get(path) : Buffer.alloc(0);
    response.writeHead(elsewhere !== undefined ? 302 : file === undefined ? 404 : 200, {
      'content-length': file?.length ?? 0,
      ...(elsewhere === undefined ? {} : { location: elsewhere }),
    });
    response.end(request.method === 'HEAD' ? undefined : file);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createTcpServer((client) => {
    sockets.add(client.on('error', () => undefined));
    client.once('data', (data: Buffer) => {
      asked.push(data.toString().split('\r\n')[0] ?? '');
      const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      sockets.add(upstream.on('error', () => undefined));
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  try {
    await work(`http://user:word@127.0.0.1:${(proxy.address() as AddressInfo).port}`, certificate, asked);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    proxy.close();
  }
}

async function makeCertificate(key: string, certificate: string, extension: string): Promise<void> {
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', '/CN=bake-test', '-addext', extension, '-keyout', key, '-out', certificate],
  ]);
}

testUnless(fetching, undefined, 'trusts no strange certificate, and goes to https by the proxy of https alone', () =>
  inTemporaryFolder(async (folder) => {
    const files = writeSite(folder);
    writeFileSync(join(folder, 'cluster.yaml'), describeSite(files, ['https://mirror.example.org']));
    await withTlsMirror(
      folder,
      files,
      () => undefined,
      async (HTTPS_PROXY, NODE_EXTRA_CA_CERTS, asked) => {
        const strange = await bake(folder, 'lock', { HTTPS_PROXY });
        assert.equal(strange.exitCode, 3);
        assert.match(
          strange.stderr,
          /its certificate is not trusted: .*; where that is meant to be, name its CA in NODE_EXTRA_CA_CERTS\n/,
        );
        asked.length = 0;
        const directly = await bake(folder, 'lock', { HTTP_PROXY: HTTPS_PROXY, NODE_EXTRA_CA_CERTS });
        assert.match(directly.stderr, /\n {4}https:\/\/mirror.example.org\/.*: there is no such host \(ENOTFOUND\)\n/);
        assert.deepEqual(asked, []);
        const done = await bake(folder, 'fetch', { HTTPS_PROXY, NODE_EXTRA_CA_CERTS });
        assert.equal(done.exitCode, 0, done.stderr);
        assert.ok(asked.length > 0);
        assert.deepEqual([...new Set(asked)], ['CONNECT mirror.example.org:443 HTTP/1.1']);
        assert.doesNotMatch(strange.stderr + done.stderr, /word/);
        assert.equal((await bake(folder, 'fetch --verify', {})).exitCode, 0, 'offline');
      },
    );
  }),
);

testUnless(fetching, undefined, 'is redirected from https to https, and never to http', () =>
  inTemporaryFolder(async (folder) => {
    const files = writeSite(folder);
    writeFileSync(join(folder, 'cluster.yaml'), describeSite(files, ['https://mirror.example.org']));
    let plainly = 0;
    const plain = createPlainServer((_, response) => {
      plainly++;
      response.end();
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    let next = 'https://releases.example.org';
    const location = (host: string, path: string) => (host.startsWith('mirror.') ? `${next}/${path}` : undefined);
    try {
      await withTlsMirror(folder, files, location, async (HTTPS_PROXY, NODE_EXTRA_CA_CERTS, asked) => {
        const done = await bake(folder, 'fetch', { HTTPS_PROXY, NODE_EXTRA_CA_CERTS });
        assert.equal(done.exitCode, 0, done.stderr);
        assert.deepEqual(
          [...new Set(asked)].sort(),
          ['mirror', 'releases'].map((name) => `CONNECT ${name}.example.org:443 HTTP/1.1`),
        );
        next = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
        rmSync(join(folder, 'cache'), { recursive: true });
        const refused = await bake(folder, 'fetch', { HTTPS_PROXY, NODE_EXTRA_CA_CERTS });
        assert.equal(refused.exitCode, 3);
        assert.match(refused.stderr, /^error fetch-failed: 8 of 8 files could not be fetched/m);
        assert.match(
          refused.stderr,
          /\n {4}https:\/\/mirror.example.org\/.*: it redirects to http:\/\/, which is not followed\n/,
        );
        assert.equal(plainly, 0);
      });
    } finally {
      plain.close();
    }
  }),
);

testUnless(
  fetching,
  process.getuid?.() === 0 ? undefined : 'a disk is mounted as root only',
  'a full disk is told, and a retry with room goes well',
  () =>
    inTemporaryFolder(async (folder) => {
      writeSite(folder, '', () => 900_000);
      assert.equal((await bake(folder, 'lock')).exitCode, 0);
      const small = join(folder, 'small');
      mkdirSync(small);
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', small]);
      try {
        const full = await bake(folder, 'fetch', { XDG_CACHE_HOME: small });
        assert.match(full.stderr, /^error disk-full: cannot use the cache .*: the disk is full \(ENOSPC\)/m);
        assert.equal(full.exitCode, 3);
        const kept = join(small, 'bake/sha256');
        for (const name of existsSync(kept) ? readdirSync(kept) : []) {
          const bytes = readFileSync(join(kept, name));
          assert.equal(createHash('sha256').update(bytes).digest('hex'), name);
        }
        await execa('mount', ['-o', 'remount,size=20m', small]);
        const retried = await bake(folder, 'fetch', { XDG_CACHE_HOME: small });
        assert.equal(retried.exitCode, 0, retried.stderr);
        assert.deepEqual(readdirSync(join(small, 'bake/parts')), []);
      } finally {
        await execa('umount', [small]);
      }
    }),
);

fetching.run();
