import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A login plugin of a kubeconfig. */
export interface TestPlugin {
  /** users[].user.exec for it. */
  readonly exec: object;
  /** How often it ran. */
  readonly runs: () => number;
}

/**
 * Writes a plugin that counts its runs.
 * @param script what it does then: `$run` is the how-manieth run this is
 * @param more of exec
 */
export function writePlugin(folder: string, script: string, more: object = {}): TestPlugin {
  const log = join(folder, 'plugin.runs');
  const path = join(folder, 'plugin');
  writeFileSync(path, `#!/bin/sh\necho run >>${log}\nrun=$(grep -c run ${log})\n${script}\n`);
  chmodSync(path, 0o755);
  return {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './plugin', interactiveMode: 'Never', ...more },
    runs: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0),
  };
}

/** The line of a script that gives a login; `$NAME` in it is for the shell. */
export function give(status: object, apiVersion = 'client.authentication.k8s.io/v1'): string {
  return `cat <<END\n${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\nEND`;
}
