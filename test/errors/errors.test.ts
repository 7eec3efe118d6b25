import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { codes } from '../../src/diagnostics/codes.ts';
import { expectFile } from '../support/expect-file.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// CODE.yaml or CODE-CASE.yaml is a description with a mistake, CODE.commands are command lines that end in one; the
// .txt beside it is exactly what a terminal shows.
const here = import.meta.dirname;
const errors = suite('errors');

const files = readdirSync(here);
const cases = files.filter((file) => /\.(yaml|commands)$/.test(file)).map((file) => file.replace(/\.\w+$/, ''));

/** The code that a case is named after: `bad-mtu` of bad-mtu-ipv6. */
function codeOf(name: string): string | undefined {
  const known = Object.keys(codes).filter((code) => name === code || name.startsWith(`${code}-`));
  return known.sort((a, b) => b.length - a.length)[0];
}

errors('every code has a case, here or where the outside world is made to fail', () => {
  const tests = readdirSync(join(here, '..'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(here, '..', file), 'utf8'));
  const hasCase = (code: string): boolean =>
    cases.some((name) => codeOf(name) === code) ||
    tests.some((text) => text.includes(`'${code}'`) || text.includes(`error ${code}:`));
  assert.deepEqual(
    Object.keys(codes).filter((code) => !hasCase(code)),
    [],
    'codes without a case',
  );
  assert.deepEqual(
    cases.filter((name) => codeOf(name) === undefined),
    [],
    'cases named after no code',
  );
});

errors('every expectation has a case', () => {
  const expectations = files.filter((file) => file.endsWith('.txt')).map((file) => file.replace(/\.txt$/, ''));
  assert.deepEqual(
    expectations.filter((name) => !cases.includes(name)),
    [],
  );
});

for (const name of cases) {
  errors(name, async () => {
    const shown = await run(name);
    const code = codeOf(name) ?? '';
    assert.match(shown, new RegExp(`^(cluster\\.yaml:\\d+:\\d+ )?(error|warning) ${code}: `, 'm'));
    expectFile(join(here, `${name}.txt`), shown);
  });
}

/** As a user does it, in a folder with every certificate of test/support. */
async function run(name: string): Promise<string> {
  return inTemporaryFolder(async (folder) => {
    cpSync(join(here, '../support/certificates'), folder, { recursive: true });
    // No private key lies in the tree.
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));

    const commands = join(here, `${name}.commands`);
    if (existsSync(commands)) return runAll(readFileSync(commands, 'utf8').trim().split('\n'), folder);
    cpSync(join(here, `${name}.yaml`), join(folder, 'cluster.yaml'));
    const { exitCode, stderr } = await runBake(['check', 'cluster.yaml'], { cwd: folder });
    return `${stderr}exit code ${exitCode}\n`;
  });
}

async function runAll(commands: readonly string[], folder: string): Promise<string> {
  let shown = '';
  for (const command of commands) {
    const { exitCode, stdout, stderr } = await runBake(command.split(' ').slice(1), { cwd: folder });
    shown += `$ ${command}\n${stdout}${stderr}exit code ${exitCode}\n`.replaceAll(folder, 'FOLDER');
  }
  return shown;
}

errors.run();
