import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import { exitCodes } from '../../src/diagnostics/failure.ts';
import { withCompiled } from '../support/compile-case.ts';
import { expectFile } from '../support/expect-file.ts';
import { readTree } from '../support/read-tree.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// Whatever README.md and the help texts show is what happens.
const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { scripts, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
};

const examples = suite('README.md');
const help = suite('--help');

/** One command line, and for one behind a `$` what it prints. */
interface Example {
  readonly command: string;
  readonly session?: { readonly shown: string };
}

/** Commands in fences and in running text, in the order of the text; tables have none to be run. */
function examplesOf(text: string): Example[] {
  const found: Example[] = [];
  const pieces = /^```(sh)?\n([^]*?)^```$|(?<!`)`([^`]+)`(?!`)/gm;
  for (const [, language, fenced, span] of text.replaceAll(/^\|.*$/gm, '').matchAll(pieces)) {
    if (language === 'sh') found.push(...commandsOf(fenced ?? ''));
    else if (fenced?.startsWith('$ ') === true) {
      const [, command = '', shown = ''] = /^\$ (.*)\n([^]*)$/.exec(fenced) ?? [];
      found.push({ command, session: { shown } });
    } else if (span !== undefined && /^(bake|node|npm|packer|kubectl)\s+[^]*\S$/.test(span)) {
      found.push(...commandsOf(span.replaceAll('\n', ' ')));
    }
  }
  return found;
}

/** Each command of some lines of shell. */
function commandsOf(lines: string): Example[] {
  return lines
    .split('\n')
    .map((line) => line.replace(/ {2,}(#.*)?.*$/, ''))
    .flatMap((line) => line.split(/ && | \| /))
    .filter((command) => command !== '')
    .map((command) => ({ command }));
}

/** What kubectl prints where nothing waits. */
const noRequests = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] });

async function bake(command: string, cwd: string): Promise<string> {
  const argv = command.split(' ').slice(command.startsWith('node ') ? 2 : 1);
  // What downloads, bakes or calls a cluster is stopped at the door: the command line is right, and the network is not for
  // tests.
  const { exitCode, stdout, stderr } = await runBake(argv, {
    cwd,
    env: { HTTPS_PROXY: 'ftp://none' },
    stdin: noRequests,
  });
  if (['lock', 'fetch', 'image'].includes(argv[0] ?? '')) {
    assert.match(stderr, /^error (proxy-unusable|lock-stale|packer-unusable|qemu-unusable|bundle-refused): /m);
    return stdout + stderr;
  }
  if ((argv[0] === 'approve-csrs' && !argv.includes('--from-file')) || argv.includes('--cluster')) {
    assert.match(stderr, /^error kubeconfig-unusable: there is no kubeconfig/m);
    return stdout + stderr;
  }
  if (argv[0] === 'rehearse') {
    assert.match(stderr, /^error (rehearsal-unusable|image-unreadable): /m);
    return stdout + stderr;
  }
  assert.equal(exitCode, 0, `${command}\n${stderr}`);
  return stdout + stderr;
}

/** What other programs are told: only whether what is named is there. */
function expectForm(command: string, folder: string): void {
  const [program = '', ...words] = command.split(' ');
  for (const path of words.filter((word) => /^out\b/.test(word))) {
    assert.ok(existsSync(join(folder, path)), `${command}: bake writes no ${path}`);
  }
  if (program === 'packer') expectVariables(command, join(folder, 'out/packer'));
  if (program !== 'npm') return;
  const script = words[0] === 'run' ? words[1] : words[0];
  if (!['ci', 'link', 'install'].includes(script ?? '')) assert.ok(scripts[script ?? ''], `${command}: no such script`);
}

function expectVariables(command: string, template: string): void {
  const declared = readdirSync(template)
    .filter((name) => name.endsWith('.pkr.hcl'))
    .map((name) => readFileSync(join(template, name), 'utf8'))
    .join('');
  for (const [, name = ''] of command.matchAll(/-var "?(\w+)=/g)) {
    assert.ok(declared.includes(`variable "${name}" {`), `${command}: the template has no variable ${name}`);
  }
}

const isBake = ({ command }: Example): boolean => /^(bake|node dist\/main\.js) /.test(command);

examples('what it tells to type can be typed, one after the other, and prints what it shows', () =>
  inTemporaryFolder(async (folder) => {
    cpSync(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
    writeFileSync(join(folder, 'csrs.json'), noRequests);
    const found = examplesOf(readme);
    let text = readme;
    for (const example of found) {
      const { command, session } = example;
      if (!isBake(example)) continue;
      if (session === undefined) {
        await bake(command, folder);
        continue;
      }
      const { stdout, stderr } = await runBake(command.split(' ').slice(1), { cwd: folder });
      text = text.replace(`$ ${command}\n${session.shown}`, () => `$ ${command}\n${stdout}${stderr}`);
      // What the first check misses; the tour goes on with it in place.
      const certificate = join(folder, 'my-cluster/ca.pem');
      if (stderr.includes('ca.pem does not exist')) cpSync(join(root, 'examples/guide/ca.pem'), certificate);
    }
    for (const example of found) if (!isBake(example)) expectForm(example.command, folder);
    expectFile(join(root, 'README.md'), text);

    const commands = found.filter(isBake).map(({ command }) => command.split(' ').slice(0, 2).join(' '));
    for (const name of ['node dist/main.js', 'bake init', 'bake check', 'bake explain', 'bake compile', 'bake token']) {
      assert.ok(commands.includes(name), `no example of ${name}, or it was not found`);
    }
    assert.ok(
      found.some(({ session }) => session !== undefined),
      'no excerpt, or it was not found',
    );
    assert.equal(bin['bake'], 'dist/main.js');
  }),
);

/** The cells of the table with these heads, row by row. */
function tableOf(...heads: string[]): string[][] {
  const lines = readme.split('\n');
  const start = lines.indexOf(`| ${heads.join(' | ')} |`);
  assert.ok(start !== -1, `no table of ${heads.join(', ')}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('| ')) break;
    rows.push(line.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$/g, '')));
  }
  return rows;
}

examples('its table of outputs names all that is written', async () => {
  const listed = tableOf('path', 'what it is').map(([path = '']) => path.replaceAll('`', '').replace(/^out\//, ''));
  const patterns = listed.map(
    (path) => new RegExp(`^${path.replace('NAME', '[\\w.-]+')}${path.endsWith('/') ? '.' : '$'}`),
  );
  const written = new Set<string>();
  for (const name of ['guide', 'static-network']) {
    for (const path of (await withCompiled(name, readTree)).keys()) if (path !== '.gitignore') written.add(path);
  }
  assert.deepEqual(
    [...written].filter((path) => !patterns.some((pattern) => pattern.test(path))),
    [],
    'not in the table',
  );
  const idle = listed.filter((_, index) => ![...written].some((path) => patterns[index]?.test(path)));
  assert.deepEqual(idle, [], 'in the table, and never written');
});

/** Name -> the arguments of its usage, `<description>` or `[node...]`, for each command that has none below it. */
async function commandsOfHelp(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const [path, text] of await helpTexts()) {
    const [, usage = ''] = /^Usage: bake ?(.*)$/m.exec(text) ?? [];
    if (usage.endsWith(' [command]')) continue;
    found.set(
      path,
      usage.split(' ').filter((word) => /^[<[]/.test(word) && word !== '[options]'),
    );
  }
  return found;
}

/** `token list` -> what `bake token list --help` prints; '' is bake itself. */
async function helpTexts(path = ''): Promise<Map<string, string>> {
  const { stdout } = await runBake(
    [...path.split(' '), '--help'].filter((word) => word !== ''),
    { cwd: root },
  );
  const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec(stdout) ?? [];
  const names = [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help');
  const texts = new Map([[path, stdout]]);
  for (const name of names) for (const entry of await helpTexts(`${path} ${name}`.trim())) texts.set(...entry);
  return texts;
}

examples('its table of commands is that of the help', async () => {
  const rows = tableOf('command', 'what it does').flatMap(([cell = '']) => [...cell.matchAll(/`bake ([^`]+)`/g)]);
  const commands = rows.map(([, command = '']) => {
    const [, name = '', rest = ''] = /^([a-z]+(?:[ -][a-z]+)*)\b(.*)$/.exec(command) ?? [];
    return {
      name,
      words: rest
        .trim()
        .split(' ')
        .filter((word) => word !== ''),
    };
  });
  const known = await commandsOfHelp();
  assert.deepEqual(
    commands.map(({ name }) => name),
    [...known.keys()],
  );
  for (const { name, words } of commands) {
    const option = words.findIndex((word) => word.startsWith('-'));
    const names = option === -1 ? words : words.slice(0, option);
    const shape = (word: string): string =>
      `${word.startsWith('[') ? 'optional' : 'needed'}${/…|\.\.\./.test(word) ? ', many' : ''}`;
    assert.deepEqual(names.map(shape), known.get(name)?.map(shape), `the arguments of bake ${name}`);
    const text = (await helpTexts(name)).get(name) ?? '';
    if (option !== -1)
      assert.ok(text.includes(`${words[option] ?? ''}, --`), `bake ${name} has no ${words[option] ?? ''}`);
  }
});

examples('its exit codes are those of the help, and of the program', async () => {
  const told = (text: string): string => /Exit codes: ([^]*?)\./.exec(text)?.[1]?.replaceAll('\n', ' ') ?? 'none';
  const codes = told(readme);
  assert.equal(told((await helpTexts()).get('') ?? ''), codes);
  const numbers = codes.split(', ').map((code) => Number.parseInt(code));
  // 128 and the number of SIGINT.
  assert.deepEqual(numbers, [...Object.values(exitCodes), 130]);
});

examples('its links lead somewhere', () => {
  const targets = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target]) => target ?? '');
  assert.ok(targets.length > 3);
  assert.deepEqual(
    targets.filter((target) => !existsSync(join(root, target))),
    [],
  );
});

for (const [path, text] of await helpTexts()) {
  help(`the examples of \`bake ${path}${path === '' ? '' : ' '}--help\` work, one after the other`, () =>
    inTemporaryFolder(async (folder) => {
      const [, lines = ''] = /^Examples?:\n((?: {2}.*\n?)+)/m.exec(text) ?? [];
      const found = commandsOf(lines.replaceAll(/^ {2}/gm, ''));
      assert.ok(found.length > 0, text);
      writeFileSync(join(folder, 'csrs.json'), noRequests);
      for (const example of found) {
        if (!isBake(example)) {
          expectForm(example.command, folder);
          continue;
        }
        if (!example.command.startsWith('bake init')) describeCluster(example.command, folder);
        await bake(example.command, folder);
      }
    }),
  );
}

/** The description that a command names, or means by saying nothing, with the certificate beside it. */
function describeCluster(command: string, folder: string): void {
  const name = command.split(' ').find((word) => word.endsWith('.yaml')) ?? 'cluster.yaml';
  const place = join(folder, dirname(name));
  cpSync(join(root, 'examples/guide'), place, { recursive: true, force: false });
}

examples.run();
help.run();
