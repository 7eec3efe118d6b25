import { exitCodes, Failure } from '../diagnostics/failure.ts';

/**
 * For commands that take names of nodes, where others take the description.
 * @throws Failure `unknown-node`
 */
export function refuseFileAsNode(names: readonly string[]): void {
  const file = names.find((name) => /\.ya?ml$/.test(name));
  if (file === undefined) return;
  throw new Failure('unknown-node', `${file} is a file, and no node; name the description by -f`, exitCodes.usage);
}
