import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { templateFolders, type PackageFile } from '../templates/templates.ts';

/** Reads every template and script of the package. */
export function readPackageFiles(packageRoot: string): PackageFile[] {
  return templateFolders.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' }).flatMap((name) => {
      const path = join(packageRoot, folder, name);
      const stat = statSync(path);
      if (!stat.isFile()) return [];
      return { path: join(folder, name), text: readFileSync(path, 'utf8'), executable: (stat.mode & 0o100) !== 0 };
    }),
  );
}

/** A file of the guide's cluster, as it ships with the package. */
export function readExampleFile(packageRoot: string, name: string): string {
  return readFileSync(join(packageRoot, 'examples/guide', name), 'utf8');
}
