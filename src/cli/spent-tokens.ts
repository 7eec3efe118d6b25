import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { deleteSpentTokens } from '../approve/delete-spent-tokens.ts';
import type { NodeReport } from '../approve/node-report.ts';
import type { Trouble } from '../approve/trouble.ts';
import { Failure } from '../diagnostics/failure.ts';
import type { KubernetesApi } from '../edges/kubernetes/kubernetes-api.ts';
import { TokenSecretsApi } from '../edges/kubernetes/token-secrets-api.ts';
import { SourceTrouble } from '../edges/source-trouble.ts';
import { readTokenStore, tokenStoreOf, updateTokenStore } from '../edges/token-store.ts';
import { dropSpent } from '../tokens/issue-tokens.ts';
import { ofCluster } from '../tokens/of-cluster.ts';
import type { Token } from '../tokens/token.ts';
import type { Context } from './context.ts';
import { terminal } from './terminal.ts';

/** With many nodes that come at once, one list and one new token file for many of them; after trouble the same again. */
const BATCH_MS = 10_000;
/** How long the file is waited for: so long Ctrl-C takes at most, if another run holds it. */
const FORGET_MS = 5000;

/**
 * Who has joined this cluster by an earlier run. Where that cannot be read nobody has, and it is told: they are waited for.
 * @param authority PEM of the cluster's CA
 */
export function joinedBefore(description: string, authority: string, context: Context): ReadonlySet<string> {
  try {
    return ofCluster(readTokenStore(resolve(context.cwd, tokenStoreOf(description))), authority).joined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    terminal(context).talk(`note: which nodes have joined before is not known: ${error.message}\n`);
    return new Set();
  }
}

/** Removes the bootstrap tokens of nodes that have joined, from the cluster and from the file beside the description. */
export class SpentTokens {
  readonly #file: string;
  readonly #authority: string;
  readonly #audit: (line: string) => void;
  readonly #context: Context;
  /** Of nodes that have their certificate, by name. */
  readonly #noted = new Map<string, NodeReport>();
  #toldOf = '';

  /**
   * @param description whose tokens they are
   * @param authority PEM of the cluster's CA
   */
  constructor(description: string, authority: string, audit: (line: string) => void, context: Context) {
    this.#file = tokenStoreOf(description);
    this.#authority = authority;
    this.#audit = audit;
    this.#context = context;
  }

  /**
   * Removes those of these nodes. What keeps it from that is told, and is no failure: the certificates are there, and the
   * tokens expire.
   * @returns false where that has kept some of them in the cluster
   * @throws as the audit log
   */
  async remove(reports: readonly NodeReport[], api: KubernetesApi, signal: AbortSignal): Promise<boolean> {
    const path = this.#path;
    const gone: Token[] = [];
    let unwritten: { readonly error: unknown } | undefined;
    const onGone = (token: Token): void => {
      gone.push(token);
      try {
        this.#audit(lineOf(token, this.#context.now()));
      } catch (error) {
        unwritten ??= { error };
      }
    };
    // What is gone is gone, also where the signal has come: that does not end this.
    const forget = () =>
      updateTokenStore(
        path,
        (store) => dropSpent(ofCluster(store, this.#authority), gone),
        new AbortController().signal,
        FORGET_MS,
      );
    let trouble: Trouble | undefined;
    try {
      const secrets = new TokenSecretsApi(api);
      trouble = await troubleWith(() =>
        deleteSpentTokens(reports, readTokenStore(path), { api: secrets, onGone, signal }),
      );
    } finally {
      // The cluster first, for there a token is of use. Who is killed in between leaves it in the file, where it expires.
      if (gone.length > 0) this.#tellGone(gone.length, await troubleWith(forget));
    }
    this.#tellTrouble(trouble?.message ?? '');
    if (unwritten !== undefined) throw unwritten.error;
    return trouble === undefined;
  }

  get #path(): string {
    return resolve(this.#context.cwd, this.#file);
  }

  /** Remembers a node whose serving certificate has come. */
  note(report: NodeReport): void {
    if (report.use === 'serving' && report.state === 'issued') this.#noted.set(report.node, report);
  }

  /**
   * Removes, until the signal comes, the tokens of the nodes that are noted meanwhile.
   * @param batchMs other than usual where a test has no time
   */
  async removeAsNoted(api: KubernetesApi, signal: AbortSignal, batchMs = BATCH_MS): Promise<never> {
    for (;;) {
      await setTimeout(batchMs, undefined, { signal });
      const batch = [...this.#noted.values()];
      if (batch.length === 0 || !(await this.remove(batch, api, signal))) continue;
      // One that has asked again meanwhile is another report.
      for (const report of batch) if (this.#noted.get(report.node) === report) this.#noted.delete(report.node);
    }
  }

  #tellGone(count: number, kept: Trouble | undefined): void {
    const what = count === 1 ? '1 bootstrap token is' : `${count} bootstrap tokens are`;
    const where = kept === undefined ? `the cluster and ${this.#file}` : `the cluster, but not from ${this.#file}`;
    terminal(this.#context).talk(`${what} gone from ${where}, since their nodes have joined; ${nextAfter(kept)}\n`);
  }

  /** Once as long as it stays the same. */
  #tellTrouble(message: string): void {
    if (message !== '' && message !== this.#toldOf) {
      const note = `note: bootstrap tokens of nodes that have joined are not deleted: ${message}`;
      terminal(this.#context).talk(`${note}; --keep-tokens leaves them alone\n`);
    }
    this.#toldOf = message;
  }
}

/** What to do after deletions; no later run takes a token out of the file that is not in the cluster. */
function nextAfter(kept: Trouble | undefined): string {
  if (kept === undefined) return 'compile before you apply manifests again';
  const again = 'they are in the cluster again after the next compile and kubectl apply, until they expire';
  const remedy = 'then kubectl delete secret -n kube-system bootstrap-token-ID, with the IDs of the lines "delete"';
  return `${kept.message}; ${again}: ${remedy}`;
}

/** The line of a deletion, beside those of verdicts. */
function lineOf({ node, id }: Token, time: Date): string {
  return `${JSON.stringify({ time, node, token: id, verdict: 'delete', reason: 'node-joined' })}\n`;
}

/** @returns the trouble with it, if any */
async function troubleWith(work: () => Promise<unknown>): Promise<Trouble | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Failure || error instanceof SourceTrouble) return error;
    throw error;
  }
}
