import type { Context } from './context.ts';

/** What stdout gets where a command is called with --json. */
export function printJson(value: object, { stdout }: Context): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
