import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Cluster, Node } from '../cluster/cluster.ts';
import { plannedIdentity } from '../cluster/planned-identity.ts';
import { Failure } from '../diagnostics/failure.ts';
import { hierarchies } from '../edges/cgroups.ts';
import { onDisk } from '../edges/on-disk.ts';
import { removeTemporaryLeftovers } from '../edges/remove-leftovers.ts';
import { removeTree } from '../edges/remove-tree.ts';
import { holdMark, releaseMark } from '../edges/run-mark.ts';
import type { Surroundings } from '../edges/surroundings.ts';
import type { Templates } from '../templates/templates.ts';
import { createToken } from '../tokens/create-token.ts';
import { askedUntil } from './asked-until.ts';
import { Authority } from './authority.ts';
import { makeContainer } from './container.ts';
import { makeEmulator } from './emulator.ts';
import type { Means } from './find-means.ts';
import type { Machine } from './machine.ts';
import { hasBooted, observe, runCheck, type Check } from './observe.ts';
import { rawImage } from './raw-image.ts';
import { kubeletDown, rowsOf, type Row } from './rows.ts';
import { stageOf, type Stage } from './stage.ts';
import { standInApi, type Asked } from './stand-in-api.ts';
import { withEndings } from './with-endings.ts';

export interface Rehearsed {
  readonly rows: readonly Row[];
  /** Everything that the node asked the apiserver for, with the seconds since the start of the machine. */
  readonly requests: readonly (Omit<Asked, 'at'> & { readonly seconds: number })[];
  /** From the start of the machine to what ended the rehearsal. */
  readonly seconds: number;
}

/** What is rehearsed, and how. */
interface Rehearsal {
  readonly cluster: Cluster;
  readonly node: Node;
  readonly image: string;
  readonly means: Means;
  readonly timeoutMs: number;
}

/** What a rehearsal needs of the process. */
interface Needs extends Pick<Surroundings, 'env' | 'signal'> {
  readonly now: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  /** Folder of the package, where rehearsal/ lies. */
  readonly packageRoot: string;
}

const PREFIX = 'bake-rehearsal-';
/** What a machine may take, when the time is up, to answer what it is asked of how far it has come. */
const TELLING_MS = 60_000;

/**
 * Boots an image with what is compiled for a node, before an apiserver that stands in for the cluster's, and looks what
 * happens until the node has joined, cannot join, or the time is up. Nothing is left of it.
 * @throws Failure `image-unreadable`, `image-not-baked`, `rehearsal-unusable`, or of the disk
 */
export function rehearse(
  { cluster, node, image, means, timeoutMs }: Rehearsal,
  templates: Templates,
  { env, signal, now, random, packageRoot }: Needs,
): Promise<Rehearsed> {
  return withEndings(async (endings) => {
    const mark = holdMark();
    endings.push(() => releaseMark(mark));
    const folder = join(tmpdir(), PREFIX + mark);
    const identity = plannedIdentity(node);
    const authority = new Authority(now());
    const token = createToken(node.name, new Set(), { random, now: now(), ttlSeconds: 3600 });
    const { kind } = means;
    const stage = stageOf(cluster, node, { authority: authority.certificate, token, kind }, templates);
    endings.push(() => removeTree(folder));
    writeStage(folder, stage);
    const scripts = join(packageRoot, 'rehearsal');
    const makeMachine = async (): Promise<Machine> => {
      if (means.kind === 'emulator') {
        return makeEmulator({ cluster, program: means.program, image }, stage, { scripts, folder }, env);
      }
      const raw = await rawImage(image, join(folder, 'raw'), env, signal);
      return makeContainer(scripts, folder, raw, cluster.containerd.directory, { env, signal });
    };
    const machine = await makeMachine();
    endings.push(() => machine.end());
    const api = standInApi({ identity, authority, token, host: cluster.kubeNginx.listen.host }, now);
    endings.push(await machine.connect(api.server, stage.apiServers));

    const from = performance.now();
    machine.boot();
    const hasCgroups = kind === 'emulator' || cluster.image.cgroup === 'v2' || hierarchies.length > 0;
    const deadline = from + timeoutMs;
    const check = await settle(askedUntil(machine, deadline, signal), deadline, signal);
    const seconds = (performance.now() - from) / 1000;
    const lastAnswer = deadline + Math.min(timeoutMs, TELLING_MS);
    const observed = await observe(askedUntil(machine, lastAnswer, signal), stage.placed, check);
    return {
      rows: rowsOf({
        observed,
        asked: api.asked,
        placed: stage.placed,
        identity,
        approval: cluster.approval,
        hasCgroups,
      }),
      requests: api.asked.map(({ at, ...request }) => ({ seconds: (at - from) / 1000, ...request })),
      seconds,
    };
  });
}

/** Where other rehearsals that are gone have left theirs, that is removed. */
function writeStage(folder: string, { files }: Stage): void {
  const remedy = 'name another folder with TMPDIR';
  onDisk({ code: 'output-unwritable', fact: `cannot write ${tmpdir()}`, remedy }, () => {
    removeTemporaryLeftovers(PREFIX, Infinity);
    mkdirSync(folder, { mode: 0o700 });
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  });
}

/** Reasons of bake-check that waiting does not mend, unless it is for a service that starts again. */
const final = ['no-user-data', 'broken-user-data', 'containerd-down', 'kube-nginx-down', kubeletDown];
/** Two attempts of systemd's (RestartSec=5). */
const PATIENCE_MS = 10_000;

/**
 * Waits until the node has joined, the same final reason has held for a while, or the time is up.
 * @returns what bake-check said last
 */
async function settle(machine: Machine, deadline: number, signal: AbortSignal): Promise<Check | undefined> {
  let check: Check | undefined;
  let since = 0;
  while (performance.now() < deadline) {
    await setTimeout(500, undefined, { signal });
    const ended = machine.ended();
    if (ended !== undefined) {
      throw new Failure('rehearsal-unusable', `the machine ended before the node had joined: ${ended}`);
    }
    if (!(await hasBooted(machine))) continue;
    const before = check?.reason?.code;
    const said = await runCheck(machine);
    if (said === undefined) continue;
    check = said;
    const code = check.reason?.code;
    if (code === undefined) break;
    if (code !== before) since = performance.now();
    if (final.includes(code) && performance.now() - since > PATIENCE_MS) break;
  }
  return check;
}
