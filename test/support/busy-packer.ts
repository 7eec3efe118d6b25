import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSite } from './download-site.ts';

/** A site whose packer, when it builds, says so and waits for a file `go`; interrupted, it takes a second to go. */
export function writeBusyPacker(folder: string): void {
  writeSite(folder);
  for (const name of ['bin', 'tmp']) mkdirSync(join(folder, name));
  const script = `#!/bin/sh
for template; do :; done
case " $* " in
  ' version ') echo 'Packer v1.11.2' ;;
  *' build '*)
    trap 'sleep 1; exit 1' INT
    touch '${folder}/builds'
    echo '1700000000,,ui,say,building'
    while [ ! -e '${folder}/go' ]; do sleep 0.1; done
    cat "$template/scripts/test-image.sh" >'${folder}/read'
    exit 1 ;;
esac
`;
  writeFileSync(join(folder, 'bin/packer'), script, { mode: 0o755 });
}
