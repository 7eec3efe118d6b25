import { join, resolve } from 'node:path';
import { readExampleFile } from '../edges/read-package-files.ts';
import { exists, writeNewFiles } from '../edges/write-new-files.ts';
import type { Context } from './context.ts';

/** npm packs no file of this name, so its text is here. */
const gitignore = `# Bootstrap tokens, and everything that is made of them.
*.tokens.json
out
.out-*
# Images, with their logs, and what fetch lays out or packs.
image/
artifacts/
*.tar
# Seeds of nodes.
*.iso
# Private keys.
*-key.pem
*.key
`;

/**
 * Writes a description to start from, the guide's cluster; it overwrites nothing.
 * @throws Failure `file-exists`, `output-unwritable`
 */
export function init(folder: string, context: Context): void {
  const example = (name: string): string => readExampleFile(context.packageRoot, name);
  const target = resolve(context.cwd, folder);
  // A repository has one already, and it stays as it is.
  const ignores = exists(join(target, '.gitignore'));
  const files = new Map([
    ['cluster.yaml', example('cluster.yaml')],
    ['cluster.schema.json', example('cluster.schema.json')],
    ...(ignores ? [] : [['.gitignore', gitignore] as const]),
  ]);
  writeNewFiles(target, files);
  const file = join(folder, 'cluster.yaml');
  context.stderr.write(`wrote ${[...files.keys()].map((name) => join(folder, name)).join(', ')}
Next: put your cluster's CA certificate beside it as ca.pem, make ${file} your own, then
  bake check ${file}
`);
  if (ignores)
    context.stderr.write(`${join(folder, '.gitignore')} is as it was; it should have these lines:\n${gitignore}`);
}
