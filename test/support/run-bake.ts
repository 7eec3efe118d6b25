import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../src/cli/run.ts';

/** When the guide made its tokens. */
const GUIDE_TIME = new Date('2020-08-02T14:12:04Z');
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Randomness of which the first token is abcdef.0123456789abcdef, the one token in this tree; further ones differ in
 * the last letters of their ids.
 */
function fixtureRandom(): (bytes: number) => Uint8Array {
  let ids = 0;
  const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => alphabet.indexOf(letter));
  return (bytes) => {
    if (bytes !== 6) return bytesOf('0123456789abcdef'.slice(-bytes));
    const last = 5 + ids++;
    return bytesOf(`abcd${alphabet.charAt(4 + Math.floor(last / 36))}${alphabet.charAt(last % 36)}`);
  };
}

/** Runs a command line of bake in this process, at a fixed time and with the fixture token. */
export async function runBake(
  argv: readonly string[],
  options: {
    readonly cwd: string;
    readonly now?: Date;
    readonly env?: Readonly<Record<string, string>>;
    readonly stdin?: string;
    readonly signal?: AbortSignal;
  },
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({ write: (text: string) => void (written[name] += text) });
  const exitCode = await run(argv, {
    env: options.env ?? {},
    cwd: options.cwd,
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    now: () => options.now ?? GUIDE_TIME,
    random: fixtureRandom(),
    signal: options.signal ?? new AbortController().signal,
    packageRoot: join(import.meta.dirname, '../..'),
  });
  return { exitCode, ...written };
}
