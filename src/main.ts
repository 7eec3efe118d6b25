#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { run } from './cli/run.ts';

// A reader that closes the pipe early (`bake token list | head -1`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`error output-unwritable: cannot write to stdout: ${error.message}\n`);
  process.exit(3);
});

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort(name));

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  random: (bytes) => randomBytes(bytes),
  signal: interrupt.signal,
  packageRoot: fileURLToPath(new URL('..', import.meta.url)),
});
