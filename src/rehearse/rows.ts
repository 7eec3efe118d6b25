import type { Approval } from '../cluster/cluster.ts';
import type { PlannedIdentity } from '../cluster/planned-identity.ts';
import type { Use } from '../csr/plan.ts';
import type { Check, Observed } from './observe.ts';
import type { Asked } from './stand-in-api.ts';
import type { PlacedFile } from './stage.ts';

/** One line of what a rehearsal has shown. */
export interface Row {
  readonly stage: 'image' | 'cloud-init' | 'files' | 'units' | 'requests' | 'joined';
  readonly result: 'ok' | 'failed' | 'not reached';
  readonly what: string;
}

/** What a rehearsal has seen. */
export interface Seen {
  /** Undefined where nothing could be asked. */
  readonly observed: Observed | undefined;
  readonly asked: readonly Asked[];
  readonly placed: readonly PlacedFile[];
  readonly identity: PlannedIdentity;
  readonly approval: Approval;
  /** Whether this machine has the cgroups that kubelet wants. */
  readonly hasCgroups: boolean;
}

/** Everything that was seen, in the order in which a node goes through it. */
export function rowsOf({ observed, asked, placed, identity, approval, hasCgroups }: Seen): Row[] {
  if (observed === undefined) return [notBootedRow];
  const withoutKubelet = !hasCgroups && observed.check.reason?.code === kubeletDown;
  const rows = [
    cloudInitRow(observed),
    ...placed.map((file) => fileRow(file, observed.files)),
    ...unitRows(observed, withoutKubelet),
    certificateRow('client', approval === 'plan' ? byBake : 'the cluster approves it', asked),
    certificateRow('serving', byBake, asked),
    nodeRow(asked),
    withoutKubelet ? withoutKubeletRow : joinedRow(observed, identity.name),
  ];
  return [imageRow(observed), ...(observed.booted ? rows : rows.map(notYet))];
}

/** What has gone wrong in the middle of a boot may be mended before its end. */
function notYet({ stage, result, what }: Row): Row {
  return row(stage, result === 'failed' ? 'not reached' : result, what);
}

/** Of bake-check. */
export const kubeletDown = 'kubelet-down';

const row = (stage: Row['stage'], result: Row['result'], what: string): Row => ({ stage, result, what });
const resultOf = (good: boolean) => (good ? 'ok' : 'failed');

function imageRow({ differing }: Observed): Row {
  if (differing.length === 0) return row('image', 'ok', 'baked from this description');
  const more = differing.length > 3 ? ` and ${differing.length - 3} more` : '';
  const files = `${differing.slice(0, 3).join(', ')}${more}`;
  return row('image', 'failed', `not what this description compiles to: ${files}; bake it again`);
}

function cloudInitRow({ cloudInit: { status, datasource, errors } }: Observed): Row {
  const what = [`status ${status}, datasource ${datasource}`, ...errors].join('; ');
  return row('cloud-init', resultOf(status === 'done' && errors.length === 0), what);
}

function fileRow({ path, mode, owner, sha256 }: PlacedFile, found: readonly PlacedFile[]): Row {
  const file = found.find((other) => other.path === path);
  if (file === undefined) return row('files', 'failed', `${path} is missing`);
  const what = `${path} ${file.mode} ${file.owner}`;
  if (file.sha256 !== sha256) return row('files', 'failed', `${what}: its content is not that of user-data`);
  if (file.mode === mode && file.owner === owner) return row('files', 'ok', what);
  return row('files', 'failed', `${what}, not ${mode} ${owner}`);
}

function unitRows({ units, failedUnits }: Observed, withoutKubelet: boolean): Row[] {
  const known = units.map(({ name, at, state }) => {
    if (at === Infinity) return row('units', 'not reached', `${name} was not started`);
    const when = `${name} started after ${at.toFixed(1)} s`;
    if (state === 'active') return row('units', 'ok', when);
    if (withoutKubelet && name === 'kubelet.service') return row('units', 'not reached', `${when}, and cannot stay`);
    return row('units', 'failed', `${when}, ${state}`);
  });
  const others = failedUnits.filter(({ name }) => !units.some((unit) => unit.name === name));
  return [...known, ...others.map(({ name, said }) => row('units', 'failed', `${name} failed${lastly(said)}`))];
}

const lastly = (said: string) => (said === '' ? '' : `; it said: ${said}`);

const byBake = 'bake approve-csrs approves it';

/** The first one of its kind: what did not go well is asked for again and again. */
function certificateRow(use: Use, good: string, asked: readonly Asked[]): Row {
  const first = asked.find(({ request }) => request?.use === use);
  if (first?.request === undefined) {
    return row('requests', 'not reached', `kubelet has not asked for its ${use} certificate`);
  }
  const { verdict } = first.request;
  const what = `kubelet asked for its ${use} certificate as ${first.user ?? ''}`;
  if (verdict.kind === 'approve') return row('requests', 'ok', `${what}: ${good}`);
  return row('requests', 'failed', `${what}: refused, ${verdict.reason}: ${verdict.message}`);
}

function nodeRow(asked: readonly Asked[]): Row {
  const post = asked.find(
    ({ method, path, status }) => method === 'POST' && path === '/api/v1/nodes' && status === 201,
  );
  if (post === undefined) return row('requests', 'not reached', 'kubelet has not registered the node');
  return row('requests', 'ok', `kubelet registered the node ${post.name ?? ''}`);
}

function joinedRow({ booted, check: { reason } }: Observed, name: string): Row {
  if (!booted) return row('joined', 'not reached', `the boot has not ended within the time${yet(reason)}; ${moreTime}`);
  if (reason === undefined) return row('joined', 'ok', `${name} joins: bake-check finds nothing amiss`);
  return row('joined', 'failed', `${reason.code}: ${reason.text}`);
}

const yet = (reason: Check['reason']) => (reason === undefined ? '' : `, and so far: ${reason.code}: ${reason.text}`);
const moreTime = '--timeout gives it more';
const notBootedRow = row('joined', 'not reached', `the machine has not begun to answer within the time; ${moreTime}`);

const withoutKubeletRow = row(
  'joined',
  'not reached',
  'this kubelet runs on cgroup v1 (image.cgroup), and this machine has v2 only: what follows its start is not rehearsed ' +
    'here; on a machine that was booted with systemd.unified_cgroup_hierarchy=0 it is',
);
