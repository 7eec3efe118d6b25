import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { templateFolders, type PackageFile } from '../templates/templates.ts';

/** Reads every template and script of the package. */
export function readPackageFiles(packageRoot: string): PackageFile[] {
  return templateFolders.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return { path: relative(packageRoot, path), text: readFileSync(path, 'utf8') };
      }),
  );
}

/** A file of the guide's cluster, as it ships with the package. */
export function readExampleFile(packageRoot: string, name: string): string {
  return readFileSync(join(packageRoot, 'examples/guide', name), 'utf8');
}
