import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { meaningCodes } from '../../src/diagnostics/meaning-codes.ts';
import { shapeCodes } from '../../src/diagnostics/shape-codes.ts';
import { syntaxCodes } from '../../src/diagnostics/syntax-codes.ts';
import { expectFile } from '../support/expect-file.ts';
import { runBake } from '../support/run-bake.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// CODE.yaml or CODE-CASE.yaml is a description with a mistake, and the .txt beside it exactly what a terminal shows.
const here = import.meta.dirname;
const errors = suite('errors');

const codes = Object.keys({ ...syntaxCodes, ...shapeCodes, ...meaningCodes });
const cases = readdirSync(here)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace(/\.yaml$/, ''));

/** The code that a case is named after: `bad-mtu` of bad-mtu-ipv6. */
function codeOf(name: string): string | undefined {
  return codes.filter((code) => name === code || name.startsWith(`${code}-`)).sort((a, b) => b.length - a.length)[0];
}

errors('every code has a case, and every case and expectation its counterpart', () => {
  assert.deepEqual(codes.filter((code) => !cases.some((name) => codeOf(name) === code)), [], 'codes without a case');
  assert.deepEqual(cases.filter((name) => codeOf(name) === undefined), [], 'cases named after no code');
  const expectations = readdirSync(here).filter((name) => name.endsWith('.txt'));
  assert.deepEqual(expectations, cases.map((name) => `${name}.txt`));
});

for (const name of cases) {
  errors(name, async () => {
    const shown = await check(name);
    assert.match(shown, new RegExp(`^cluster\\.yaml:\\d+:\\d+ (error|warning) ${codeOf(name) ?? ''}: `, 'm'));
    expectFile(join(here, `${name}.txt`), shown);
  });
}

/** Runs `bake check` as a user does, in a folder with the description and every certificate of test/support. */
async function check(name: string): Promise<string> {
  return inTemporaryFolder(async (folder) => {
    cpSync(join(here, '../support/certificates'), folder, { recursive: true });
    cpSync(join(here, `${name}.yaml`), join(folder, 'cluster.yaml'));
    // No private key lies in the tree.
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { exitCode, stderr } = await runBake(['check', 'cluster.yaml'], { cwd: folder });
    return `${stderr}exit code ${exitCode}\n`;
  });
}

errors.run();
