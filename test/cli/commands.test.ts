import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { suite } from 'uvu';
import { parse } from 'yaml';
import type { Context } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { codes } from '../../src/diagnostics/codes.ts';
import { describeNodes } from '../bench/describe-nodes.ts';
import { copyGuide } from '../support/copy-guide.ts';
import { onFailingDisk, systemError } from '../support/failing-disk.ts';
import { readTree } from '../support/read-tree.ts';
import { runBake } from '../support/run-bake.ts';
import { expectWholeOutput } from '../support/sample-output.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// The commands as a user runs them: what they print and where, what they write, what they exit with.
const root = join(import.meta.dirname, '../..');
const main = join(root, 'dist/main.js');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** Of each token that runBake issues; vpc-0123456789abcdef0 is another thing. */
const secret = /\b0123456789abcdef\b/;
const start = new Date('2020-08-02T14:12:04Z');
const later = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const day = 86_400;
const hour = 3600;

interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Bake = (command: string, options?: { now?: Date; env?: Readonly<Record<string, string>> }) => Promise<Ran>;

/** A folder of a user with a description in it; whatever bake says there is searched for secrets and stack traces. */
function inCluster(
  work: (bake: Bake, folder: string) => Promise<void>,
  description: string = readFileSync(join(root, 'examples/guide/cluster.yaml'), 'utf8'),
): () => Promise<void> {
  return () =>
    inTemporaryFolder(async (folder) => {
      copyFileSync(join(root, 'examples/guide/ca.pem'), join(folder, 'ca.pem'));
      writeFileSync(join(folder, 'cluster.yaml'), description);
      await work(bakeIn(folder), folder);
    });
}

function bakeIn(folder: string): Bake {
  return async (command, options = {}) => {
    const ran = await runBake(wordsOf(command), { cwd: folder, ...options });
    expectHarmless(command, ran);
    return ran;
  };
}

function wordsOf(command: string): string[] {
  return command.split(' ').filter((word) => word !== '');
}

function expectHarmless(command: string, { stdout, stderr }: { stdout: string; stderr: string }): void {
  assert.doesNotMatch(`${stdout}${stderr}`, secret, `${command} shows a secret`);
  assert.doesNotMatch(`${stdout}${stderr}`, /PRIVATE KEY|^\s+at /m, command);
}

/** Fails unless a command did what it was asked to, and has nothing to say on stdout, or what is named. */
function expectDone({ exitCode, stdout, stderr }: Ran, expected: { stdout?: string | RegExp } = {}): void {
  assert.equal(exitCode, 0, stderr);
  if (expected.stdout instanceof RegExp) assert.match(stdout, expected.stdout);
  else assert.equal(stdout, expected.stdout ?? '');
}

function expectRefused({ exitCode, stdout, stderr }: Ran, code: number, says: RegExp): void {
  assert.match(stderr, says);
  assert.equal(exitCode, code, stderr);
  assert.equal(stdout, '', 'talk is for stderr');
}

function replaced(text: string, from: string, to: string): string {
  assert.ok(text.includes(from), `there is no ${from}`);
  return text.replace(from, to);
}

/** Paths and bytes of all that lies in a folder, links included. */
function snapshot(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const digest = (path: string): string => {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
    return stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'folder';
  };
  return Object.fromEntries(names.map((name) => [name, digest(join(folder, name))]));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

// ---------------------------------------------------------------------------------------------------------------- init

const init = suite('bake init');

init('writes three files, and says what is next', () =>
  inTemporaryFolder(async (folder) => {
    const ran = await bakeIn(folder)('init deep/er');
    expectDone(ran);
    assert.equal(
      ran.stderr,
      `wrote deep/er/cluster.yaml, deep/er/cluster.schema.json, deep/er/.gitignore
Next: put your cluster's CA certificate beside it as ca.pem, make deep/er/cluster.yaml your own, then
  bake check deep/er/cluster.yaml
`,
    );
    const written = join(folder, 'deep/er');
    assert.deepEqual(readdirSync(written).sort(), ['.gitignore', 'cluster.schema.json', 'cluster.yaml']);
    for (const name of ['cluster.yaml', 'cluster.schema.json']) {
      assert.deepEqual(readFileSync(join(written, name)), readFileSync(join(root, 'examples/guide', name)));
    }
    const [first = ''] = readFileSync(join(written, 'cluster.yaml'), 'utf8').split('\n');
    assert.equal(first, '# yaml-language-server: $schema=./cluster.schema.json', 'editors find the schema beside it');
  }),
);

init('has a .gitignore that keeps all secrets out of git', () =>
  inTemporaryFolder(async (folder) => {
    const bake = bakeIn(folder);
    expectDone(await bake('init'));
    copyFileSync(join(root, 'examples/guide/ca.pem'), join(folder, 'ca.pem'));
    expectDone(await bake('compile cluster.yaml'));
    const ignored = readFileSync(join(folder, '.gitignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const patterns = ignored.map(
      (line) => new RegExp(`^${line.replace(/^\//, '').replaceAll('.', '\\.').replaceAll('*', '.*')}$`),
    );
    const kept = readdirSync(folder).filter((name) => !patterns.some((pattern) => pattern.test(name)));
    assert.deepEqual(kept.sort(), ['.gitignore', 'ca.pem', 'cluster.schema.json', 'cluster.yaml']);
    for (const key of ['ca-key.pem', 'kubernetes.key', 'prod.tokens.json']) {
      assert.ok(
        patterns.some((pattern) => pattern.test(key)),
        key,
      );
    }
  }),
);

init('leaves a .gitignore alone, and says what it should have', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, '.gitignore'), 'mine\n');
    const ran = await bakeIn(folder)('init');
    expectDone(ran);
    assert.match(ran.stderr, /\.gitignore is as it was; it should have these lines:\n[^]*\*\.tokens\.json\n/);
    assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'mine\n');
  }),
);

for (const taken of ['cluster.yaml', 'cluster.schema.json']) {
  init(`overwrites nothing: ${taken}`, () =>
    inTemporaryFolder(async (folder) => {
      writeFileSync(join(folder, taken), 'mine');
      const ran = await bakeIn(folder)('init');
      expectRefused(ran, 3, /^error file-exists: .* already has .*; name another folder, or move it away\n$/);
      assert.ok(ran.stderr.includes(taken));
      assert.deepEqual(readdirSync(folder), [taken]);
      assert.equal(readFileSync(join(folder, taken), 'utf8'), 'mine');
    }),
  );
}

init('leaves the .gitignore of a repository as it is, and says what it should have', () =>
  inTemporaryFolder(async (folder) => {
    writeFileSync(join(folder, '.gitignore'), 'node_modules/\n');
    const ran = await bakeIn(folder)('init');
    expectDone(ran);
    assert.match(ran.stderr, /^wrote cluster\.yaml, cluster\.schema\.json\n/);
    assert.match(ran.stderr, /\.gitignore is as it was; it should have these lines:\n[^]*\n\*\.tokens\.json\nout\n/);
    assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'node_modules/\n');
  }),
);

init('on a disk that fills up at any moment, leaves nothing', () =>
  inTemporaryFolder(async (folder) => {
    const growing = new Set(['mkdirSync', 'openSync', 'writeFileSync']);
    for (let at = 1; ; at++) {
      let ran: Ran | undefined;
      await onFailingDisk(
        (number, change) => (number >= at && growing.has(change) ? systemError('ENOSPC', change) : undefined),
        async () => (ran = await bakeIn(folder)('init')),
      );
      if (ran?.exitCode === 0) {
        assert.ok(at > 6, `${at} moments`);
        break;
      }
      assert.match(
        ran?.stderr ?? '',
        /^error disk-full: cannot write to .*; what was there is as it was: free some space/,
      );
      assert.equal(ran?.exitCode, 3);
      assert.deepEqual(readdirSync(folder), [], `full before call ${at}`);
    }
  }),
);

// --------------------------------------------------------------------------------------------------------------- check

const check = suite('bake check');

check(
  'says that a description is good, and changes nothing',
  inCluster(async (bake, folder) => {
    const before = snapshot(folder);
    const ran = await bake('check cluster.yaml');
    expectDone(ran);
    assert.equal(ran.stderr, 'cluster.yaml: 3 nodes, no mistakes\n');
    assert.deepEqual(snapshot(folder), before);
  }),
);

const guide = readFileSync(join(root, 'examples/guide/cluster.yaml'), 'utf8');
const twoMistakes = replaced(
  replaced(guide, '- name: node2', '- name: node1'),
  'dnsAddress: 10.254.0.2',
  'dnsAddress: 10.1.0.2',
);

check(
  'reports every mistake at once, in the order of the text',
  inCluster(async (bake) => {
    const ran = await bake('check cluster.yaml');
    expectRefused(ran, 1, /\n2 errors in cluster\.yaml\n$/);
    const heads = [...ran.stderr.matchAll(/^cluster\.yaml:(\d+):\d+ error ([\w-]+): /gm)];
    assert.deepEqual(
      heads.map(([, , code]) => code),
      ['dns-address-outside', 'duplicate-node-name'],
    );
    assert.equal((ran.stderr.match(/^ +\| +\^+$/gm) ?? []).length >= 2, true, 'each has a caret');
  }, twoMistakes),
);

check(
  '--json is one object, on stdout alone',
  inCluster(async (bake) => {
    const { exitCode, stdout, stderr } = await bake('check --json cluster.yaml');
    assert.equal(exitCode, 1);
    assert.equal(stderr, '');
    const report = JSON.parse(stdout) as { diagnostics: Record<string, unknown>[] };
    const [dns = {}, name = {}] = report.diagnostics;
    const lines = twoMistakes.split('\n');
    const line = (text: string): number => lines.findIndex((candidate) => candidate.includes(text)) + 1;
    assert.deepEqual(report, { file: 'cluster.yaml', good: false, diagnostics: [dns, name] });
    assert.deepEqual(withoutWords(dns), {
      code: 'dns-address-outside',
      severity: 'error',
      message: '',
      file: 'cluster.yaml',
      line: line('dnsAddress: 10.1.0.2'),
      column: '  dnsAddress: '.length + 1,
      path: ['network', 'dnsAddress'],
      notes: [{ message: '', line: line('serviceCIDR:'), column: '  serviceCIDR: '.length + 1 }],
    });
    const first = line('- name: node1');
    assert.deepEqual(withoutWords(name), {
      code: 'duplicate-node-name',
      severity: 'error',
      message: '',
      file: 'cluster.yaml',
      line: first + 2,
      column: '  - name: '.length + 1,
      path: ['nodes', 2, 'name'],
      notes: [{ message: '', line: first, column: '  - name: '.length + 1 }],
    });
    for (const { message } of [dns, name]) assert.ok(typeof message === 'string' && message.length > 20);
  }, twoMistakes),
);

/** Messages may be worded better some day. */
function withoutWords(finding: Record<string, unknown>): Record<string, unknown> {
  const notes = (finding['notes'] as object[]).map((note) => ({ ...note, message: '' }));
  return { ...finding, message: '', notes };
}

check(
  '--json of a good description',
  inCluster(async (bake) => {
    const ran = await bake('check --json cluster.yaml');
    expectDone(ran, { stdout: `${JSON.stringify({ file: 'cluster.yaml', good: true, diagnostics: [] }, null, 2)}\n` });
    assert.equal(ran.stderr, '');
  }),
);

check(
  '--json of a description that cannot be read',
  inCluster(async (bake) => {
    const ran = await bake('check --json none.yaml');
    assert.equal(ran.exitCode, 3);
    const { good, error } = JSON.parse(ran.stdout) as { good: boolean; error: { code: string; message: string } };
    assert.deepEqual([good, error.code], [false, 'description-unreadable']);
    assert.ok(ran.stderr.includes(error.message));
  }),
);

check(
  'a warning alone is no failure',
  inCluster(async (bake) => {
    const ran = await bake('check cluster.yaml');
    expectDone(ran);
    assert.match(ran.stderr, /^cluster\.yaml:\d+:\d+ warning needless-trust: [^]*\n1 warning in cluster\.yaml\n$/);
    const { stdout } = await bake('check --json cluster.yaml');
    const report = JSON.parse(stdout) as { good: boolean; diagnostics: { severity: string }[] };
    assert.deepEqual([report.good, report.diagnostics.map(({ severity }) => severity)], [true, ['warning']]);
  }, `${guide}crictl: { trustFirstDownload: true }\n`),
);

// ------------------------------------------------------------------------------------------------------------- compile

const compile = suite('bake compile');

compile(
  'writes everything, and a record of it, each with its mode',
  inCluster(async (bake, folder) => {
    const ran = await bake('compile cluster.yaml -o deep/er/out');
    expectDone(ran);
    const out = join(folder, 'deep/er/out');
    const files = [...readTree(out).keys()];
    assert.equal(
      ran.stderr,
      `wrote deep/er/out: ${files.length - 1} files for 3 nodes; the first token expires 2020-08-03T14:12:04Z\n`,
    );

    const own = files.filter((path) => !path.startsWith('packer/'));
    const nodes = ['master', 'node1', 'node2'];
    assert.deepEqual(own, [
      '.gitignore',
      'bake.json',
      'manifests/rbac.yaml',
      ...nodes.map((node) => `manifests/tokens/${node}.yaml`),
      ...nodes.flatMap((node) => [`nodes/${node}/meta-data`, `nodes/${node}/user-data`]),
    ]);

    assert.equal(modeOf(out), 0o700);
    assert.equal(modeOf(join(folder, 'cluster.tokens.json')), 0o600);
    for (const [path, content] of readTree(out)) {
      const isRun = /^packer\/(scripts\/|rootfs\/opt\/k8s\/bin\/)/.test(path);
      const expected = secret.test(content.toString()) ? 0o600 : isRun ? 0o755 : 0o644;
      assert.equal(modeOf(join(out, path)).toString(8), expected.toString(8), path);
    }
    const secrets = [...readTree(out)].filter(([, content]) => secret.test(content.toString())).map(([path]) => path);
    assert.deepEqual(secrets, [
      ...nodes.map((node) => `manifests/tokens/${node}.yaml`),
      ...nodes.map((node) => `nodes/${node}/user-data`),
    ]);
  }),
);

compile(
  'records the SHA-256 of what it read and of all that it wrote',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    assert.equal(expectWholeOutput(join(folder, 'out')), version);
    const record = JSON.parse(readFileSync(join(folder, 'out/bake.json'), 'utf8')) as { input: object };
    const before = snapshot(folder);
    assert.deepEqual(record.input, { 'cluster.yaml': before['cluster.yaml'], 'ca.pem': before['ca.pem'] });
    appendFileSync(join(folder, 'out/manifests/rbac.yaml'), '#');
    assert.throws(() => expectWholeOutput(join(folder, 'out')), 'a digest that does not fit is found');
  }),
);

compile(
  '--dry-run names the files, and writes nothing, no token either',
  inCluster(async (bake, folder) => {
    const before = snapshot(folder);
    const dry = await bake('compile cluster.yaml --dry-run');
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.deepEqual(snapshot(folder), before);
    assert.match(
      dry.stderr,
      /^would write out: \d+ files for 3 nodes; the first token expires 2020-08-03T14:12:04Z\n$/,
    );

    expectDone(await bake('compile cluster.yaml'));
    const written = [...readTree(join(folder, 'out')).keys()].filter((path) => path !== 'bake.json');
    assert.deepEqual(dry.stdout.trimEnd().split('\n').sort(), written.sort());

    const after = snapshot(folder);
    expectDone(await bake('compile cluster.yaml --dry-run', { now: later(2 * day) }), { stdout: dry.stdout });
    assert.deepEqual(snapshot(folder), after, 'with tokens that have expired');
  }),
);

compile(
  '--json is one object, on stdout alone',
  inCluster(async (bake, folder) => {
    const written = { output: 'other', nodes: 3, joined: 0, earliestTokenExpiry: '2020-08-03T14:12:04Z' };
    for (const flags of ['--dry-run', '']) {
      const { exitCode, stdout, stderr } = await bake(`compile --json ${flags} cluster.yaml -o other`);
      assert.deepEqual([exitCode, stderr], [0, '']);
      const { files, ...summary } = JSON.parse(stdout) as { files: number };
      assert.deepEqual(summary, { file: 'cluster.yaml', good: true, ...written, diagnostics: [] });
      assert.equal(existsSync(join(folder, 'other')), flags === '');
      if (flags === '') assert.equal(files, readTree(join(folder, 'other')).size - 1, 'all but bake.json');
    }
  }),
);

compile(
  'with a mistake, reports as check does, and keeps what is there',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    writeFileSync(join(folder, 'cluster.yaml'), twoMistakes);
    const before = snapshot(folder);
    const checked = await bake('check cluster.yaml');
    assert.deepEqual(await bake('compile cluster.yaml'), checked);
    assert.deepEqual(await bake('compile --dry-run cluster.yaml'), checked);
    assert.deepEqual(await bake('compile --json cluster.yaml'), await bake('check --json cluster.yaml'));
    assert.deepEqual(snapshot(folder), before);
  }),
);

compile(
  'shows the warnings, and compiles',
  inCluster(async (bake) => {
    const ran = await bake('compile cluster.yaml');
    expectDone(ran);
    assert.match(ran.stderr, /^cluster\.yaml:\d+:\d+ warning needless-trust: [^]*\nwrote out: /);
    const { stdout } = await bake('compile --json cluster.yaml');
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ['needless-trust'],
    );
  }, `${guide}crictl: { trustFirstDownload: true }\n`),
);

compile('writes the same bytes a second time, in any time zone, locale and folder', () =>
  inTemporaryFolder(async (folder) => {
    const places = [
      { TZ: 'America/St_Johns', LANG: 'C', LC_ALL: 'C' },
      { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
      { TZ: 'Asia/Kathmandu', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
    ];
    const outputs: Record<string, string>[] = [];
    for (const [index, env] of places.entries()) {
      const mine = join(folder, `place${index}`);
      mkdirSync(mine);
      copyGuide(mine);
      const before = join(folder, `place${index - 1}/cluster.tokens.json`);
      if (index > 0) copyFileSync(before, join(mine, 'cluster.tokens.json'));
      const cwd = index === 1 ? folder : mine;
      const argv = [main, 'compile', join(mine, 'cluster.yaml'), '-o', join(mine, 'out')];
      const { stdout, stderr } = await execa(process.execPath, argv, { cwd, env });
      const { tokens } = JSON.parse(readFileSync(join(mine, 'cluster.tokens.json'), 'utf8')) as {
        tokens: { secret: string }[];
      };
      for (const token of tokens) assert.ok(!`${stdout}${stderr}`.includes(token.secret), 'a secret is shown');
      outputs.push(snapshot(join(mine, 'out')));
    }
    assert.ok(Object.keys(outputs[0] ?? {}).length > 50);
    for (const output of outputs) assert.deepEqual(output, outputs[0]);
  }),
);

compile(
  'keeps tokens while they have an hour left, and replaces them after that',
  inCluster(async (bake, folder) => {
    const tokens = () => readFileSync(join(folder, 'cluster.tokens.json'), 'utf8');
    expectDone(await bake('compile cluster.yaml'));
    const first = { tokens: tokens(), out: snapshot(join(folder, 'out')) };

    const kept = await bake('compile cluster.yaml', { now: later(day - hour) });
    assert.match(kept.stderr, /the first token expires 2020-08-03T14:12:04Z\n$/);
    assert.deepEqual({ tokens: tokens(), out: snapshot(join(folder, 'out')) }, first);

    const renewed = await bake('compile cluster.yaml', { now: later(day - hour + 1) });
    assert.match(renewed.stderr, /the first token expires 2020-08-04T13:12:05Z\n$/);
    const ids = (text: string) => (JSON.parse(text) as { tokens: { id: string }[] }).tokens.map(({ id }) => id);
    assert.equal(new Set([...ids(first.tokens), ...ids(tokens())]).size, 6, 'no id comes back');
    for (const node of ['master', 'node1', 'node2']) {
      const path = `manifests/tokens/${node}.yaml`;
      assert.notEqual(snapshot(join(folder, 'out'))[path], first.out[path]);
    }
  }),
);

compile(
  'gives a node a new instance-id when its token is a new one, and only then',
  inCluster(async (bake, folder) => {
    const instances = () =>
      ['master', 'node1', 'node2'].map((node) => {
        const metaData = readFileSync(join(folder, `out/nodes/${node}/meta-data`), 'utf8');
        const { 'instance-id': id, 'local-hostname': hostname } = parse(metaData) as Record<string, string>;
        assert.equal(hostname, node);
        const userData = readFileSync(join(folder, `out/nodes/${node}/user-data`));
        assert.equal(id, `${node}-${createHash('sha256').update(userData).digest('hex').slice(0, 12)}`);
        return id;
      });
    expectDone(await bake('compile cluster.yaml'));
    const before = instances();
    expectDone(await bake('compile cluster.yaml', { now: later(hour) }));
    assert.deepEqual(instances(), before);
    expectDone(await bake('token rotate node1'));
    assert.deepEqual(instances(), before, 'rotate leaves the output to compile');
    expectDone(await bake('compile cluster.yaml'));
    const after = instances();
    assert.deepEqual([after[0] === before[0], after[1] === before[1], after[2] === before[2]], [true, false, true]);
  }),
);

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  compile(
    `stopped by ${signal}, leaves the old output and nothing else`,
    inCluster(async (bake, folder) => {
      expectDone(await bake('compile cluster.yaml'));
      const before = snapshot(join(folder, 'out'));
      writeFileSync(join(folder, 'cluster.yaml'), describeNodes(6000).yaml);
      const child = spawn(process.execPath, [main, 'compile', 'cluster.yaml'], { cwd: folder });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
      const closed = once(child, 'close');
      const staged = () => readdirSync(folder).some((name) => name.startsWith('.out-new-'));
      while (!staged() && child.exitCode === null) await setTimeout(2);
      child.kill(signal);
      assert.deepEqual(await closed, [exitCode, null], said);
      assert.equal(said, '', 'who stopped it knows');
      assert.deepEqual(snapshot(join(folder, 'out')), before);
      const left = readdirSync(folder).sort();
      assert.deepEqual(left, [
        readlinkSync(join(folder, 'out')),
        'ca.pem',
        'cluster.tokens.json',
        'cluster.yaml',
        'out',
      ]);
    }),
  );
}

// --------------------------------------------------------------------------------------------------------------- token

const token = suite('bake token');

token(
  'list shows id, node and expiry, never the secret',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    assert.match(readFileSync(join(folder, 'cluster.tokens.json'), 'utf8'), secret);
    expectDone(await bake('token list'), {
      stdout: `ID      NODE    EXPIRES
abcdef  master  2020-08-03T14:12:04Z
abcdeg  node1   2020-08-03T14:12:04Z
abcdeh  node2   2020-08-03T14:12:04Z
`,
    });
    expectDone(await bake('token list', { now: later(25 * hour) }), {
      stdout: /^abcdef {2}master {2}2020-08-03T14:12:04Z \(expired\)$/m,
    });
    const { stdout } = await bake('token list --json');
    assert.deepEqual(JSON.parse(stdout), [
      { id: 'abcdef', node: 'master', expires: '2020-08-03T14:12:04Z' },
      { id: 'abcdeg', node: 'node1', expires: '2020-08-03T14:12:04Z' },
      { id: 'abcdeh', node: 'node2', expires: '2020-08-03T14:12:04Z' },
    ]);
  }),
);

token(
  'list finds the tokens beside the description that is named',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    const elsewhere = bakeIn(join(folder, '..'));
    const name = join(folder, 'cluster.yaml');
    expectDone(await elsewhere(`token list -f ${name}`), { stdout: /^abcdef {2}master/m });
    expectDone(await elsewhere(`token list --file ${name}`), { stdout: /^abcdef {2}master/m });
  }),
);

token(
  'list says so when there are none yet, or no description',
  inCluster(async (bake) => {
    const none = await bake('token list');
    expectDone(none);
    assert.equal(none.stderr, 'no tokens yet; `bake compile` issues them\n');
    expectDone(await bake('token list --json'), { stdout: '[]\n' });
    expectRefused(
      await bake('token list -f clutser.yaml'),
      3,
      /^error description-unreadable: clutser\.yaml does not exist/,
    );
  }),
);

token(
  'rotate replaces the tokens of the nodes that are named, or all',
  inCluster(async (bake, folder) => {
    const list = async () => {
      const rows = JSON.parse((await bake('token list --json')).stdout) as {
        node: string;
        id: string;
        expires: string;
      }[];
      return Object.fromEntries(rows.map(({ node, id, expires }) => [node, `${id} ${expires}`]));
    };
    expectDone(await bake('compile cluster.yaml'));
    const out = snapshot(join(folder, 'out'));
    const first = await list();

    const named = await bake('token rotate node2 node1 node2', { now: later(hour) });
    expectDone(named);
    assert.equal(named.stderr, 'replaced 2 of 3 tokens; `bake compile` writes them out\n');
    const second = await list();
    assert.equal(second['master'], first['master']);
    for (const node of ['node1', 'node2']) assert.match(second[node] ?? '', / 2020-08-03T15:12:04Z$/);

    const all = await bake('token rotate', { now: later(2 * hour) });
    assert.equal(all.stderr, 'replaced 3 of 3 tokens; `bake compile` writes them out\n');
    for (const row of Object.values(await list())) assert.match(row, / 2020-08-03T16:12:04Z$/);
    assert.equal(modeOf(join(folder, 'cluster.tokens.json')), 0o600);
    assert.deepEqual(snapshot(join(folder, 'out')), out, 'the output is what compile writes');
  }),
);

token(
  'rotate changes nothing when a name or the description is wrong',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    const before = snapshot(folder);
    expectRefused(
      await bake('token rotate node1 nod2'),
      2,
      /^error unknown-node: no node is called nod2; did you mean node2\?\n$/,
    );
    assert.deepEqual(snapshot(folder), before);
    writeFileSync(join(folder, 'cluster.yaml'), twoMistakes);
    expectRefused(await bake('token rotate'), 1, /2 errors in cluster\.yaml\n$/);
    assert.equal(snapshot(folder)['cluster.tokens.json'], before['cluster.tokens.json']);
  }),
);

token(
  'tokens that others may read are not used',
  inCluster(async (bake, folder) => {
    expectDone(await bake('compile cluster.yaml'));
    chmodSync(join(folder, 'cluster.tokens.json'), 0o644);
    const before = snapshot(folder);
    for (const command of ['compile cluster.yaml', 'compile cluster.yaml --dry-run', 'token list', 'token rotate']) {
      expectRefused(await bake(command), 3, /^error token-store-exposed: .*chmod 600/);
    }
    assert.deepEqual(snapshot(folder), before);
  }),
);

// ------------------------------------------------------------------------------------------------------------- explain

const explain = suite('bake explain');

explain('tells the story of every code, and lists them all', () =>
  inTemporaryFolder(async (folder) => {
    const bake = bakeIn(folder);
    const { stdout } = await bake('explain');
    const listed = stdout.trimEnd().split('\n');
    assert.deepEqual(
      listed.map((line) => line.split(' ')[0]),
      Object.keys(codes),
    );
    for (const [code, { severity, summary, story }] of Object.entries(codes)) {
      expectDone(await bake(`explain ${code}`), { stdout: `${code} (${severity}): ${summary}\n\n${story}\n` });
    }
    expectDone(await bake('explain names-missing'), { stdout: /^names-missing \(a request is refused\): .*\n\n.*/ });
    expectRefused(await bake('explain duplicate-nod-name'), 2, /there is no code .*did you mean duplicate-node-name\?/);
    expectRefused(await bake('explain constructor'), 2, /there is no code/);
  }),
);

// -------------------------------------------------------------------------------------------------------- command line

const line = suite('the command line');

const wrong: readonly (readonly [string, RegExp])[] = [
  ['', /^Usage: bake /],
  ['chek cluster.yaml', /^error: unknown command 'chek'\n\(Did you mean check\?\)\n/],
  ['--jsn', /^error: unknown option '--jsn'\n/],
  ['check --jsn cluster.yaml', /^error: unknown option '--jsn'\n\(Did you mean --json\?\)\n/],
  ['check cluster.yaml another.yaml', /^error: too many arguments for 'check'/],
  ['compile cluster.yaml -o', /^error: option '-o, --output <folder>' argument missing\n/],
  ['init a b', /^error: too many arguments for 'init'/],
  ['token', /^Usage: bake token /],
  ['token lst', /^error: unknown command 'lst'\n\(Did you mean list\?\)\n/],
  ['token list node1', /^error: too many arguments for 'list'/],
];
for (const [command, says] of wrong) {
  line(
    `refuses \`bake${command === '' ? '' : ` ${command}`}\``,
    inCluster(async (bake, folder) => {
      const before = snapshot(folder);
      expectRefused(await bake(command), 2, says);
      assert.deepEqual(snapshot(folder), before);
    }),
  );
}

/** Names of the commands that a help text lists. */
function listedCommands(help: string): string[] {
  const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec(help) ?? [];
  return [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
}

line('has --help with examples for every command', () =>
  inTemporaryFolder(async (folder) => {
    const bake = bakeIn(folder);
    const seen: string[] = [];
    const visit = async (path: string): Promise<void> => {
      const { exitCode, stdout, stderr } = await bake(`${path} --help`);
      assert.deepEqual([exitCode, stderr], [0, ''], path);
      assert.match(stdout, new RegExp(`^Usage: bake ?${path}`));
      assert.match(stdout, /^Examples?:\n {2}bake /m, `bake ${path} --help has no example`);
      seen.push(path);
      for (const name of listedCommands(stdout)) await visit(`${path} ${name}`.trim());
    };
    await visit('');
    assert.deepEqual(seen, [
      '',
      'init',
      'check',
      'explain',
      'compile',
      'lock',
      'fetch',
      'image',
      'rehearse',
      'approve-csrs',
      'token',
      'token list',
      'token rotate',
    ]);
    assert.equal((await bake('help check')).stdout, (await bake('check --help')).stdout);
    for (const [text] of (await bake('--help')).stdout.matchAll(/^.{81,}$/gm)) assert.fail(`too wide: ${text}`);
    assert.deepEqual(readdirSync(folder), []);
  }),
);

line('--version is the version of the package', () =>
  inTemporaryFolder(async (folder) => {
    for (const option of ['--version', '-V']) expectDone(await bakeIn(folder)(option), { stdout: `${version}\n` });
  }),
);

/** Runs a command as on a terminal; `clock` says what it is at each look, in seconds. */
async function onTerminal(
  command: string,
  cwd: string,
  changes: Partial<Context> = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    isTTY: true,
    write: (text: string) => void (written[name] += text),
  });
  const exitCode = await run(wordsOf(command), {
    env: { TERM: 'xterm' },
    cwd,
    stdin: Readable.from([]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    now: () => start,
    random: (bytes) => randomBytes(bytes),
    signal: new AbortController().signal,
    packageRoot: root,
    ...changes,
  });
  return { exitCode, ...written };
}

line(
  'has colours on a terminal that wants them, and nowhere else',
  inCluster(async (bake, folder) => {
    const coloured = await onTerminal('check cluster.yaml', folder);
    const plain = await bake('check cluster.yaml', { env: { TERM: 'xterm' } });
    assert.notEqual(coloured.stderr, plain.stderr);
    assert.equal(stripVTControlCharacters(coloured.stderr), plain.stderr, 'and only colours');
    for (const env of [{ TERM: 'xterm', NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      assert.equal((await onTerminal('check cluster.yaml', folder, { env })).stderr, plain.stderr);
    }
    // https://no-color.org: when present and not an empty string
    const empty = { TERM: 'xterm', NO_COLOR: '' };
    assert.equal((await onTerminal('check cluster.yaml', folder, { env: empty })).stderr, coloured.stderr);
    const data = await onTerminal('check --json cluster.yaml', folder);
    assert.equal(data.stdout, (await bake('check --json cluster.yaml')).stdout, 'data has none');
    const failure = await onTerminal('check none.yaml', folder);
    const told = await bake('check none.yaml');
    assert.notEqual(failure.stderr, told.stderr);
    assert.equal(stripVTControlCharacters(failure.stderr), told.stderr);
  }, twoMistakes),
);

line(
  'shows a terminal how far a long compile is, and wipes that away, also when it fails',
  inCluster(async (bake, folder) => {
    let seconds = 0;
    const now = (): Date => later(seconds++);
    /** What was shown and wiped away, and what stays. */
    const shown = (stderr: string): string[] => stderr.split('\r\u001b[K').map(stripVTControlCharacters);

    const [progress = '', rest] = shown((await onTerminal('compile cluster.yaml', folder, { now })).stderr);
    assert.match(progress, /^\r500 files\r1000 files(\r\d+ files)*$/);
    assert.match(rest ?? '', /^wrote out: /);

    const quick = await onTerminal('compile cluster.yaml', folder);
    assert.match(quick.stderr, /^wrote out: /, 'less than a second is not worth a word');
    expectDone(await bake('compile cluster.yaml'));

    let failed: string[] = [];
    await onFailingDisk(
      (number, change) => (number > 3000 && change === 'openSync' ? systemError('ENOSPC', change) : undefined),
      async () => (failed = shown((await onTerminal('compile cluster.yaml', folder, { now })).stderr)),
    );
    assert.match(failed[0] ?? '', /^\r500 files/);
    assert.match(failed[1] ?? '', /^error disk-full: /);
  }, describeNodes(500).yaml),
);

line('stops without a word when the reader of its data goes away', async () => {
  const child = spawn(process.execPath, [main, 'explain'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  child.stdout.destroy();
  assert.deepEqual(await once(child, 'close'), [0, null], said);
  assert.equal(said, '');
});

line(
  'a bug of its own is told as one, for a report',
  inCluster(async (_, folder) => {
    const random = (): never => {
      throw new RangeError('a mistake of ours');
    };
    const { exitCode, stderr } = await onTerminal('compile cluster.yaml', folder, { random, env: { NO_COLOR: '1' } });
    assert.equal(exitCode, 70);
    assert.match(
      stderr,
      /^error internal: this is a bug in bake; please report it with these lines:\nRangeError: a mistake of ours\n/,
    );
    assert.ok(!existsSync(join(folder, 'out')) && !existsSync(join(folder, 'cluster.tokens.json.lock')));
  }),
);

/** What only reads opens files, too. */
const readOnly = (work: () => Promise<unknown>): Promise<number> =>
  onFailingDisk((_, change) => (change === 'openSync' ? undefined : systemError('EROFS', change)), work);
const asIs = (work: () => Promise<unknown>): Promise<unknown> => work();

/** Root may write everywhere, and tests may be root: a folder in /dev/null, and a disk that refuses, stop it too. */
const unwritable: readonly (readonly [string, string, RegExp, typeof asIs])[] = [
  [
    'the output is below a file',
    'compile cluster.yaml -o /dev/null/out',
    /^error output-unwritable: .*name another folder with -o/,
    asIs,
  ],
  [
    'the output is a folder of somebody else',
    'compile cluster.yaml -o taken',
    /^error output-not-ours: .*name another folder with -o/,
    asIs,
  ],
  ['the output is a file', 'compile cluster.yaml -o ca.pem', /^error output-not-ours: /, asIs],
  ['the output has no name', 'compile cluster.yaml -o .', /^error output-not-ours: /, asIs],
  [
    'the tokens are a folder',
    'compile taken.yaml',
    /^error token-store-unusable: cannot use the tokens in .*; make .* readable and writable/,
    asIs,
  ],
  ['the tokens to be listed are a folder', 'token list -f taken.yaml', /^error token-store-unusable: /, asIs],
  [
    'the folder for init is a file',
    'init ca.pem',
    /^error output-unwritable: cannot write to .*; name a folder that you can write to\n$/,
    asIs,
  ],
  [
    'the disk is read-only for init',
    'init new',
    /^error output-unwritable: .*EROFS.*; name a folder that you can write to\n$/,
    readOnly,
  ],
  ['the disk is read-only for compile', 'compile cluster.yaml', /^error token-store-unusable: .*EROFS/, readOnly],
  ['the disk is read-only for rotate', 'token rotate', /^error token-store-unusable: .*EROFS/, readOnly],
  [
    'the description is not there',
    'check none.yaml',
    /^error description-unreadable: none\.yaml does not exist; `bake init` writes/,
    asIs,
  ],
  ['the description is a folder', 'compile taken', /^error description-unreadable: taken is a folder; /, asIs],
];
for (const [when, command, says, onDisk] of unwritable) {
  line(
    `is one line and no stack trace when ${when}`,
    inCluster(async (bake, folder) => {
      mkdirSync(join(folder, 'taken/inside'), { recursive: true });
      mkdirSync(join(folder, 'taken.tokens.json'), { mode: 0o700 });
      copyFileSync(join(folder, 'cluster.yaml'), join(folder, 'taken.yaml'));
      const before = snapshot(folder);
      let ran: Ran | undefined;
      await onDisk(async () => (ran = await bake(command)));
      assert.ok(ran);
      expectRefused(ran, 3, says);
      assert.match(ran.stderr, /^.+\n$/, 'one line');
      const after = snapshot(folder);
      delete after['cluster.tokens.json'];
      assert.deepEqual(after, before);
    }),
  );
}

init.run();
check.run();
compile.run();
token.run();
explain.run();
line.run();
