import { Failure } from '../diagnostics/failure.ts';
import { lockShape, type Lock, type LockedArtifact } from './lock.ts';

/** The same lock gives the same bytes: artifacts by name, keys in one order. */
export function formatLock({ artifacts, sandboxImage, ami }: Lock): string {
  const sorted = [...artifacts].sort((a, b) => (a.name < b.name ? -1 : 1)).map(inOrder);
  return `${JSON.stringify({ version: 1, artifacts: sorted, sandboxImage, ami }, null, 2)}\n`;
}

function inOrder(artifact: LockedArtifact): LockedArtifact {
  const { name, component, version, os, architecture, url, size, sha256, sha512 } = artifact;
  return { name, component, version, os, architecture, url, size, sha256, sha512 };
}

/** @throws Failure `lock-damaged` */
export function parseLock(file: string, text: string): Lock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(file, `it is not JSON (${(error as Error).message})`);
  }
  const parsed = lockShape.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    throw damaged(file, `${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`);
  }
  const names = parsed.data.artifacts.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw damaged(file, `${twice} stands in it twice`);
  return parsed.data;
}

function damaged(file: string, what: string): Failure {
  const remedy = 'restore it from version control, or remove it and run `bake lock`';
  return new Failure('lock-damaged', `${file} cannot be read: ${what}; ${remedy}`);
}
