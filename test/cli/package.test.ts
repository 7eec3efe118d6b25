import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import { readTree } from '../support/read-tree.ts';
import { inTemporaryFolder } from '../support/temporary-folder.ts';

// What npm publishes, installed into an empty folder, as a user has it.
const packed = suite('the npm package');
const root = join(import.meta.dirname, '../..');

packed('installs, and compiles what it inits', async () => {
  await inTemporaryFolder(async (folder) => {
    const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    await execa('npm', ['init', '--yes'], { cwd: folder });
    await execa('npm', ['install', '--prefer-offline', `./${filename}`], { cwd: folder });

    const bake = (...args: string[]) => execa('npx', ['--no-install', 'bake', ...args], { cwd: folder });
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    assert.equal((await bake('--version')).stdout, version);
    await bake('init', 'mine');
    copyFileSync(join(root, 'examples/guide/ca.pem'), join(folder, 'mine/ca.pem'));
    await bake('check', 'mine/cluster.yaml');
    await bake('compile', 'mine/cluster.yaml');
    const written = [...readTree(join(folder, 'out')).keys()];
    assert.ok(written.includes('nodes/master/user-data'), written.join('\n'));
    assert.ok(written.includes('packer/build.pkr.hcl'), written.join('\n'));
  });
});

packed.run();
