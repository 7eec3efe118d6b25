import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';

const test = suite('certificates');

test('who reads a certificate first can connect afterwards', () => {
  const root = join(import.meta.dirname, '../..');
  const script = `
    import { readFileSync } from 'node:fs';
    import { commonNameOf, parseCertificate } from './src/description/certificates.ts';
    const certificate = parseCertificate(readFileSync('test/support/certificates/client.pem', 'utf8'));
    const name = commonNameOf(certificate);
    const { createSecureContext } = await import('node:tls');
    console.log(name, typeof createSecureContext);`;
  const argv = ['--import', 'tsx', '--input-type', 'module', '--eval', script];
  assert.equal(execFileSync(process.execPath, argv, { cwd: root, encoding: 'utf8' }), 'kubernetes-master function\n');
});

test.run();
