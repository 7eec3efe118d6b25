import { readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import { fetchArtifacts } from '../fetch/fetch-artifacts.ts';
import { bakeImage, type BakedImage } from '../image/bake-image.ts';
import { checkLogin } from '../image/check-login.ts';
import { findPacker } from '../image/find-packer.ts';
import { findQemu } from '../image/find-qemu.ts';
import { Phases, type Phase } from '../image/phases.ts';
import type { Lock } from '../lock/lock.ts';
import { imageArtifacts } from '../lock/needed-artifacts.ts';
import { compileLoaded } from './compile.ts';
import type { Context } from './context.ts';
import { loadAndReport } from './load-and-report.ts';
import { loadLock, withLockOf } from './load-lock.ts';
import { placesOf } from './places-of.ts';
import { printJson } from './print-json.ts';
import { reportDiagnostics } from './report-diagnostics.ts';
import { writeFirstLock } from './write-first-lock.ts';

export interface ImageOptions {
  /** Where the template goes, as with compile. */
  readonly output: string;
  readonly image: string;
  readonly sshKey?: string;
  readonly json?: true;
}

/**
 * Compiles a description, fetches what its image needs, and has Packer bake it.
 * @returns the exit code
 * @throws Failure of the lock, the sources, the output, or of Packer
 */
export async function imageCommand(file: string, options: ImageOptions, context: Context): Promise<number> {
  const started = performance.now();
  const loaded = loadAndReport(file, options, context);
  if (loaded === undefined) return exitCodes.description;
  // The summary has no place for warnings.
  if (options.json) reportDiagnostics(file, loaded, context);

  const sshKey = options.sshKey === undefined ? undefined : resolve(context.cwd, options.sshKey);
  const folder = resolve(context.cwd, options.image);
  refuseInside(folder, resolve(context.cwd, options.output));
  checkLogin(loaded.cluster.image.source, sshKey, context.env);
  await findPacker(context.env);
  if (loaded.cluster.image.source === 'qemu') await findQemu(loaded.cluster, context.env);
  const found = loadLock(file, context) ?? (await writeFirstLock(file, loaded.cluster, context));
  const locked = withLockOf(loaded, found);
  const { cluster } = locked;
  const phases = new Phases(context.stderr);
  const places = placesOf(file, cluster, context);
  const { files } = await phases.measure('fetch', () => fetchArtifacts(found.lock, places, context));
  await phases.measure('compile', () => compileLoaded(file, locked, { output: options.output }, context));

  // The folder itself: another compile may lead the link elsewhere.
  const out = realpathSync(resolve(context.cwd, options.output));
  const bake = {
    cluster,
    template: join(out, 'packer'),
    inputs: recordedInputs(out),
    files,
    releases: releasesIn(found.lock, imageArtifacts(cluster)),
    folder,
    sshKey,
  };
  try {
    const baked = await bakeImage(bake, phases, context);
    tell(baked, phases.end('done'), (performance.now() - started) / 1000, options, context);
    return exitCodes.done;
  } catch (error) {
    phases.end(context.signal.aborted ? 'interrupted' : 'failed');
    throw error;
  }
}

/** What is below the output goes with the next compile. */
function refuseInside(folder: string, output: string): void {
  if (folder !== output && !folder.startsWith(`${output}/`)) return;
  const message = `${folder} is where compile writes, which replaces everything there; name another folder with --image`;
  throw new Failure('output-unwritable', message, exitCodes.usage);
}

/** What bake.json says that the template was compiled from. */
function recordedInputs(out: string): Readonly<Record<string, string>> {
  const record = JSON.parse(readFileSync(join(out, 'bake.json'), 'utf8')) as { input: Record<string, string> };
  return record.input;
}

function releasesIn({ artifacts }: Lock, wanted: readonly { readonly name: string }[]) {
  return artifacts
    .filter(({ name }) => wanted.some((artifact) => artifact.name === name))
    .map(({ component, version = '', url, sha256 = '' }) => ({ name: component, version, url, sha256 }));
}

function tell(
  { artifact, bill, log }: BakedImage,
  phases: readonly Phase[],
  seconds: number,
  { json }: ImageOptions,
  context: Context,
): void {
  if (json) printJson({ good: true, artifact, billOfMaterials: bill, log, seconds, phases }, context);
  else context.stderr.write(`baked ${artifact} in ${seconds.toFixed(0)} s; what is in it: ${bill}\n`);
}
