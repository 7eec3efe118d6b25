import type { PlannedIdentity } from '../cluster/planned-identity.ts';
import type { Observed } from './observe.ts';
import type { Asked } from './stand-in-api.ts';
import type { PlacedFile } from './stage.ts';

/** One line of what a rehearsal has shown. */
export interface Row {
  readonly stage: 'image' | 'cloud-init' | 'files' | 'units' | 'requests' | 'joined';
  readonly result: 'ok' | 'failed';
  readonly what: string;
}

/** Everything that was seen, in the order in which a node goes through it: the first row that failed is the reason. */
export function rowsOf(
  observed: Observed,
  asked: readonly Asked[],
  placed: readonly PlacedFile[],
  { name, user }: PlannedIdentity,
): Row[] {
  return [
    imageRow(observed),
    cloudInitRow(observed),
    ...placed.map((file) => fileRow(file, observed.files)),
    ...unitRows(observed),
    ...requestRows(asked, user),
    joinedRow(observed, name),
  ];
}

const row = (stage: Row['stage'], good: boolean, what: string): Row => ({
  stage,
  result: good ? 'ok' : 'failed',
  what,
});

function imageRow({ differing }: Observed): Row {
  if (differing.length === 0) return row('image', true, 'baked from this description');
  const more = differing.length > 3 ? ` and ${differing.length - 3} more` : '';
  return row(
    'image',
    false,
    `not what this description compiles to: ${differing.slice(0, 3).join(', ')}${more}; bake it again`,
  );
}

function cloudInitRow({ cloudInit: { status, datasource, errors } }: Observed): Row {
  const what = `status ${status}, datasource ${datasource}`;
  return row('cloud-init', status === 'done' && errors.length === 0, [what, ...errors].join('; '));
}

function fileRow({ path, mode, owner, sha256 }: PlacedFile, found: readonly PlacedFile[]): Row {
  const file = found.find((other) => other.path === path);
  if (file === undefined) return row('files', false, `${path} is missing`);
  const what = `${path} ${file.mode} ${file.owner}`;
  if (file.sha256 !== sha256) return row('files', false, `${what}: its content is not that of user-data`);
  const good = file.mode === mode && file.owner === owner;
  return row('files', good, good ? what : `${what}, not ${mode} ${owner}`);
}

function unitRows({ units, failedUnits }: Observed): Row[] {
  const known = units.map(({ name, at, state }) => {
    const when = at === Infinity ? 'not started' : `started after ${at.toFixed(1)} s`;
    return row('units', state === 'active', `${name} ${when}${state === 'active' ? '' : `, ${state}`}`);
  });
  const others = failedUnits.filter((name) => !units.some((unit) => unit.name === name));
  return [...known, ...others.map((name) => row('units', false, `${name} failed`))];
}

/** The first of each kind: what did not go well is asked for again and again. */
function requestRows(asked: readonly Asked[], user: string): Row[] {
  const rows: Row[] = [];
  for (const use of ['client', 'serving'] as const) {
    const first = asked.find(({ request }) => request?.use === use);
    if (first?.request === undefined) {
      rows.push(row('requests', false, `kubelet has not asked for its ${use} certificate`));
      continue;
    }
    const { verdict } = first.request;
    const by = use === 'client' ? 'the cluster approves it' : 'bake approve-csrs approves it';
    const what = `kubelet asked for its ${use} certificate as ${first.user ?? ''}: `;
    rows.push(
      verdict.kind === 'approve'
        ? row('requests', true, what + by)
        : row('requests', false, `${what}refused, ${verdict.reason}: ${verdict.message}`),
    );
  }
  const registered = asked.find(
    ({ method, path, status }) => method === 'POST' && path === '/api/v1/nodes' && status === 201,
  );
  rows.push(
    registered === undefined
      ? row('requests', false, 'kubelet has not registered the node')
      : row(
          'requests',
          user === `system:node:${registered.name ?? ''}`,
          `kubelet registered the node ${registered.name ?? ''}`,
        ),
  );
  return rows;
}

function joinedRow({ check: { reason } }: Observed, name: string): Row {
  return reason === undefined
    ? row('joined', true, `${name} joins: bake-check finds nothing amiss`)
    : row('joined', false, `${reason.code}: ${reason.text}`);
}
