import { spawn } from 'node:child_process';
import type { Server } from 'node:net';
import { execPath } from 'node:process';
import type { Endpoint } from '../cluster/cluster.ts';
import { Failure } from '../diagnostics/failure.ts';

/** A socket stays in the network namespace that it was made in, whoever has it; Node hands it to its parent. */
const script = `
import { createServer } from 'node:net';
for (const { host, port } of JSON.parse(process.argv[1])) {
  const server = createServer();
  server.on('error', ({ message }) => {
    console.error(message);
    process.exit(1);
  });
  server.listen(port, host, () => process.send('', server, () => server.close()));
}
process.on('message', () => process.disconnect());`;

/**
 * Listens in the network namespace of another process.
 * @param pid of that process
 * @throws Failure `rehearsal-unusable` with what went wrong there
 */
export function listenIn(
  pid: number,
  endpoints: readonly Endpoint[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Server[]> {
  const argv = [
    `--target=${pid}`,
    '--net',
    execPath,
    '--input-type=module',
    '--eval',
    script,
    JSON.stringify(endpoints),
  ];
  const child = spawn('nsenter', argv, { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const servers: Server[] = [];
  let said = '';
  child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
  return new Promise((resolve, reject) => {
    child.on('message', (_, handle) => {
      servers.push(handle as Server);
      if (servers.length === endpoints.length) child.send('');
    });
    const refuse = (why: string) =>
      reject(new Failure('rehearsal-unusable', `bake cannot listen in place of the apiservers: ${why}`));
    child.on('error', ({ message }) => refuse(message));
    child.on('close', () => {
      if (servers.length === endpoints.length) resolve(servers);
      else refuse(said.trim());
    });
  });
}
