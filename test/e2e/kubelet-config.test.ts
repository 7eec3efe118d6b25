import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { suite } from 'uvu';
import { parse } from 'yaml';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// The kubelet's own types of each minor decode what bake writes, strictly: unknown and duplicate fields are errors.
const config = suite('kubelet config');
const oracle = await tryPart('kubelet-config-oracle');
const minors = ['1.18', '1.19', '1.20', '1.21', '1.22', '1.23'];

/** Descriptions that set fields which old minors lack say which minor they are for. */
const onlyFor: Readonly<Record<string, readonly string[]>> = { 'every-option': ['1.22'], 'one-node': ['1.23'] };

for (const name of caseNames) {
  testUnless(config, oracle.missing, `${name}: decoded strictly`, () =>
    withCompiled(name, async (out) => {
      const nodes = Object.keys((JSON.parse(readFileSync(join(out, 'bake.json'), 'utf8')) as { files: object }).files);
      for (const path of nodes.filter((file) => file.endsWith('/user-data'))) {
        const file = join(out, 'kubelet-config.yaml');
        writeFileSync(file, kubeletConfigOf(readFileSync(join(out, path))));
        for (const minor of onlyFor[name] ?? minors) {
          const { exitCode, stderr } = await execa(join(oracle.folder, `oracle-${minor}`), [file], { reject: false });
          assert.equal(exitCode, 0, `${path} for ${minor}: ${stderr}`);
        }
      }
    }),
  );
}

function kubeletConfigOf(userData: Buffer): string {
  const text = (userData[0] === 0x1f ? gunzipSync(userData) : userData).toString();
  const { write_files } = parse(text) as { write_files: { path: string; content: string }[] };
  return write_files.find(({ path }) => path === '/etc/kubernetes/kubelet-config.yaml')?.content ?? '';
}

config.run();
