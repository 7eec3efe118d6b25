#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { run } from './cli/run.ts';
import { exitCodes } from './diagnostics/failure.ts';

// A reader that closes the pipe early (`bake token list | head -1`) is no error; a full disk is.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = exitCodes.outside;
  });
}

/**
 * Ctrl-C ends the process at once, as anywhere, until somebody asks for the signal: who does can clean up, and yields to
 * the event loop often enough to hear it.
 */
let interrupt: AbortController | undefined;
function listenForInterrupt(): AbortSignal {
  if (interrupt === undefined) {
    const controller = new AbortController();
    // Also the second one is heard, and changes nothing: it would end the process in the middle of the clean-up.
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort(name));
    interrupt = controller;
  }
  return interrupt.signal;
}

const exitCode = await run(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  random: (bytes) => randomBytes(bytes),
  get stdin() {
    return process.stdin;
  },
  get signal() {
    return listenForInterrupt();
  },
  packageRoot: fileURLToPath(new URL('..', import.meta.url)),
});
process.exitCode ??= exitCode;
