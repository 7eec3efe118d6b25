import type { Stream } from '../edges/surroundings.ts';

/** What a command may touch of the process that runs it; main.ts makes the real one, tests make theirs. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** For data. */
  readonly stdout: Stream;
  /** For talk: progress, warnings, errors. */
  readonly stderr: Stream;
  readonly now: () => Date;
  /** Bytes from the system's random generator. */
  readonly random: (bytes: number) => Uint8Array;
  /** Aborted by SIGINT (Ctrl-C), SIGTERM and SIGHUP, by whose name, from when it is first asked for. */
  readonly signal: AbortSignal;
  /** Folder of the package, where cloud-init/, packer/ … lie. */
  readonly packageRoot: string;
}
