import { hostname } from 'node:os';
import { watchPlanned } from '../approve/approve-planned.ts';
import { lead } from '../approve/lead.ts';
import type { NodeReport } from '../approve/node-report.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { LeaseApi } from '../edges/kubernetes/lease-api.ts';
import type { Connection } from '../edges/kubernetes/read-kubeconfig.ts';
import { approvingIn, type Audit, type LiveOptions } from './approve-live.ts';
import type { Context } from './context.ts';
import { terminal } from './terminal.ts';

export interface WatchOptions extends LiveOptions {
  readonly leaderElect?: true;
}

/** Where all that may approve in a cluster agree on who does. */
const leaseName = { namespace: 'kube-system', name: 'bake-approver' };

/**
 * Approves in a cluster until a signal comes, while it is the leader where that is wanted, and prints a line whenever a
 * certificate has come or does not come.
 * @returns the exit code
 * @throws Failure of the connection or of the audit log
 */
export async function watchLive(
  cluster: Cluster,
  connection: Connection,
  audit: Audit,
  options: WatchOptions,
  context: Context,
): Promise<number> {
  const { signal } = context;
  const watch = async (term: AbortSignal): Promise<void> => {
    const api = new KubernetesApi(connection, { signal: term });
    terminal(context).talk(`watching ${api.server} for ${cluster.nodes.length} planned nodes\n`);
    const patienceMs = options.timeout * 1000;
    const onReport = (report: NodeReport): void => tellReport(report, options, context);
    try {
      await watchPlanned({
        ...approvingIn(cluster, api, audit, options, context),
        onReport,
        patienceMs,
        signal: term,
      });
    } finally {
      await api.close();
    }
  };
  try {
    await (options.leaderElect ? whileLeader(connection, watch, context) : watch(signal));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return exitCodes.done;
}

/** Over connections of its own: a renewal waits for no approval, and the Lease is freed after the signal. */
async function whileLeader(
  connection: Connection,
  work: (term: AbortSignal) => Promise<void>,
  context: Context,
): Promise<void> {
  const { now, random, signal } = context;
  const { talk } = terminal(context);
  const api = new KubernetesApi(connection, { signal: new AbortController().signal, stallMs: LEASE_STALL_MS });
  const identity = `${hostname()}_${Buffer.from(random(8)).toString('hex')}`;
  talk(`${identity} waits to be the leader\n`);
  try {
    await lead(
      {
        lease: new LeaseApi(api, leaseName),
        identity,
        onLeader: (isLeader) => talk(`${identity} is ${isLeader ? 'now' : 'no longer'} the leader\n`),
        onTrouble: (message) => talk(`${api.server}: ${message}; trying again\n`),
        now,
        signal,
      },
      work,
    );
  } finally {
    await api.close();
  }
}

/** As client-go has it, half of the time in which a renewal has to work. */
const LEASE_STALL_MS = 5000;

function tellReport(report: NodeReport, { output }: WatchOptions, { now, stdout }: Context): void {
  const { node, state, csr, why } = report;
  const line = output === 'json' ? JSON.stringify({ time: now(), ...report }) : [node, state, csr, why].join('  ');
  stdout.write(`${line.trimEnd()}\n`);
}
