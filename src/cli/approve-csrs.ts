import { resolve } from 'node:path';
import type { Endpoint } from '../cluster/cluster.ts';
import { auditLine } from '../csr/audit-line.ts';
import { inventoryOf } from '../csr/inventory.ts';
import { signersOf, type Plan } from '../csr/plan.ts';
import { Survey, type Decision } from '../csr/survey.ts';
import { exitCodes } from '../diagnostics/failure.ts';
import { auditLog } from '../edges/audit-log.ts';
import { CsrApi, type CsrPage } from '../edges/kubernetes/csr-api.ts';
import { withStandIns } from '../edges/kubernetes/connection.ts';
import { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { readKubeconfig } from '../edges/kubernetes/read-kubeconfig.ts';
import { requireTokenStore, tokenStoreOf } from '../edges/token-store.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { approveLive } from './approve-live.ts';
import type { Audit } from './approving.ts';
import type { Context } from './context.ts';
import { explainDecision } from './explain-decision.ts';
import { InventoryFile } from './inventory-file.ts';
import { fixedInventory, type InventorySource } from './inventory-source.ts';
import { loadAndReport } from './load-and-report.ts';
import { readCsrFile } from './read-csr-file.ts';
import { joinedBefore, SpentTokens } from './spent-tokens.ts';
import { tellDecisions } from './tell-decisions.ts';
import { unreachable } from './unreachable.ts';
import { watchLive, type WatchOptions } from './watch-live.ts';

export interface ApproveCsrsOptions extends WatchOptions {
  readonly fromFile?: string;
  readonly dryRun?: true;
  readonly watch?: true;
  readonly explain?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly auditLog?: string;
  readonly inventory?: string;
  readonly keepTokens?: true;
}

/**
 * Judges requests for certificates of nodes by the plan; approves those that are as planned, unless it is only to look.
 * @returns the exit code
 * @throws Failure `csrs-unreadable`, `unknown-csr`, `token-store-missing`, `kubeconfig-unusable`, `output-unwritable`, or as
 *   approveLive
 */
export async function approveCsrs(file: string, options: ApproveCsrsOptions, context: Context): Promise<number> {
  const from = inventoryFrom(file, options, context);
  if (from === undefined) return exitCodes.description;
  const { inventory, apiServers } = from;
  const planned = inventory.read();
  const audit = auditTo(options, context);
  if (options.fromFile !== undefined)
    return judge(planned.plan, [{ values: await readCsrFile(options.fromFile, context) }], audit, options, context);

  const connection = withStandIns(readKubeconfig(options, context), apiServers);
  // Who goes by an inventory has no token file, and may be a Pod that must not delete Secrets.
  const hasTokens = options.inventory === undefined;
  const spent =
    hasTokens && options.keepTokens === undefined
      ? new SpentTokens(file, planned.authority, audit, context)
      : undefined;
  if (options.watch) return watchLive(inventory, connection, audit, options, context, spent);
  const api = new KubernetesApi(connection, context);
  try {
    if (options.dryRun === undefined && options.explain === undefined) {
      const joined = hasTokens ? joinedBefore(file, planned.authority, context) : new Set<string>();
      return await approveLive({ ...planned, joined }, api, audit, options, context, spent);
    }
    return await judge(planned.plan, (await CsrApi.open(api, signersOf(planned.plan))).list(), audit, options, context);
  } catch (error) {
    throw error instanceof SourceTrouble ? unreachable(api, error) : error;
  } finally {
    await api.close();
  }
}

interface Source {
  readonly inventory: InventorySource;
  /** As far as they are known; in a Pod their Service chooses. */
  readonly apiServers: readonly Endpoint[];
}

/** What is planned; undefined where the description is wrong, which is told. */
function inventoryFrom(file: string, { inventory, output }: ApproveCsrsOptions, context: Context): Source | undefined {
  if (inventory !== undefined) return { inventory: new InventoryFile(inventory, context), apiServers: [] };
  const loaded = loadAndReport(file, output === 'json' ? { json: true } : {}, context);
  if (loaded === undefined) return undefined;
  const { approval, controlPlane } = loaded.cluster;
  const store = approval === 'plan' ? requireTokenStore(tokenStoreOf(resolve(context.cwd, file))) : undefined;
  const tokenIdOf = store && ((node: string) => store.tokens.get(node)?.id);
  return { inventory: fixedInventory(inventoryOf(loaded.cluster, tokenIdOf)), apiServers: controlPlane.apiServers };
}

/** Where the lines of the verdicts go. */
function auditTo({ auditLog: file }: ApproveCsrsOptions, { cwd, stderr }: Context): Audit {
  if (file === undefined) return (line) => void stderr.write(line);
  const append = auditLog(resolve(cwd, file));
  return (line) => {
    try {
      append(line);
    } catch (error) {
      // What is decided is told somewhere.
      stderr.write(line);
      throw error;
    }
  };
}

type Page = Pick<CsrPage, 'values'>;

/** Says what is to be thought of each request, and changes nothing. */
async function judge(
  plan: Plan,
  pages: Iterable<Page> | AsyncIterable<Page>,
  audit: Audit,
  options: ApproveCsrsOptions,
  context: Context,
): Promise<number> {
  const survey = new Survey(plan);
  const first: Decision[] = [];
  for await (const { values } of pages) for (const value of values) first.push(survey.add(value).decision);
  const decisions = first.map((decision) => survey.settle(decision));
  if (options.explain !== undefined) {
    explainDecision(options.explain, decisions, options, context);
    return exitCodes.done;
  }
  for (const decision of decisions) {
    if (decision.verdict.kind === 'none') continue;
    audit(auditLine(decision, { time: context.now(), isDone: false, isDenied: false }));
  }
  tellDecisions(decisions, options, context);
  return exitCodes.done;
}
