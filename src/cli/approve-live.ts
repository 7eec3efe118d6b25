import { approvePlanned } from '../approve/approve-planned.ts';
import { hasArrived, type NodeReport } from '../approve/node-report.ts';
import type { Inventory } from '../csr/inventory.ts';
import type { DiagnosticCode } from '../diagnostics/codes.ts';
import { exitCodes, Failure } from '../diagnostics/failure.ts';
import type { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { textTable } from '../report/text-table.ts';
import { approvingIn, rowOf, tellOfOldBinding, type Audit, type LiveOptions } from './approving.ts';
import type { Context } from './context.ts';
import { printJson } from './print-json.ts';
import type { SpentTokens } from './spent-tokens.ts';

/**
 * Approves in a cluster, and waits for the certificates.
 * @param joined nodes that are not waited for
 * @param spent undefined where tokens are to be kept
 * @returns the exit code
 * @throws Failure `nodes-without-certificate`, `nodes-without-request`, or of the connection; SourceTrouble as approvePlanned
 */
export async function approveLive(
  { joined, ...inventory }: Inventory & { readonly joined: ReadonlySet<string> },
  api: KubernetesApi,
  audit: Audit,
  options: LiveOptions,
  context: Context,
  spent?: SpentTokens,
): Promise<number> {
  const timeoutMs = options.timeout * 1000;
  const approving = approvePlanned({
    ...approvingIn(inventory, api, audit, options, context),
    timeoutMs,
    joined,
    signal: context.signal,
  });
  const [reports] = await Promise.all([approving, tellOfOldBinding(inventory.plan, api, context)]);
  const lacking = reports.filter((report) => !hasArrived(report));
  const good = lacking.length === 0;
  if (options.output === 'table') tellReports(reports, context);
  // Before the JSON, which goes with the error where one comes.
  await spent?.remove(reports, api, context.signal);
  if (good) {
    if (options.output === 'json') printJson({ good, nodes: reports }, context);
    return exitCodes.done;
  }
  throw new Failure(...told(lacking, reports.length), exitCodes.outside, { nodes: reports });
}

function tellReports(reports: readonly NodeReport[], { stdout }: Context): void {
  stdout.write(textTable(['NODE', 'STATE', 'CSR', 'WHY'], reports.map(rowOf)));
}

/** Which of two things the nodes without a certificate come to: what is known of them, or that nothing is. */
function told(lacking: readonly NodeReport[], planned: number): [DiagnosticCode, string] {
  const known = lacking.filter(({ state }) => state !== 'no-request');
  const unknown = namesOf(lacking.filter(({ state }) => state === 'no-request'));
  if (known.length === 0) {
    return [
      'nodes-without-request',
      `no request of ${unknown} in the cluster: not asked yet, or issued over an hour ago`,
    ];
  }
  const besides = unknown === '' ? '' : `, and no request of ${unknown} is there`;
  const fact = `${known.length} of ${planned} nodes have no serving certificate: ${namesOf(known)}${besides}`;
  return ['nodes-without-certificate', `${fact}; WHY says what keeps each`];
}

function namesOf(nodes: readonly NodeReport[]): string {
  const [first, second, third, ...more] = nodes.map(({ node }) => node);
  const names = [first, second, third].filter((name) => name !== undefined).join(', ');
  return `${names}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}
