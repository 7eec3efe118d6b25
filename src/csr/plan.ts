import { plannedIdentity, type Named, type PlannedIdentity } from '../cluster/planned-identity.ts';

/** https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers */
export const signers = {
  serving: 'kubernetes.io/kubelet-serving',
  client: 'kubernetes.io/kube-apiserver-client-kubelet',
} as const;

/** What a certificate of a node is for. */
export type Use = keyof typeof signers;

/** @returns undefined for a signer whose certificates are none of a kubelet's */
export function useOf(signerName: string | undefined): Use | undefined {
  return uses.find((use) => signers[use] === signerName);
}

export const uses: readonly Use[] = ['serving', 'client'];

/** The planned nodes by the users that may ask for a certificate of theirs. */
type Askers = ReadonlyMap<string, PlannedIdentity>;

/** Who may ask for which certificate. */
export interface Plan {
  /** Each node, as the user that it is. */
  readonly serving: Askers;
  /** Each node that has a bootstrap token, as the user that this makes. Absent where the cluster approves by itself. */
  readonly client?: Askers;
}

/** The id of a node's bootstrap token; undefined where it has none. */
export type TokenIdOf = (node: string) => string | undefined;

/** @param tokenIdOf where bake approves client certificates too */
export function planOf({ nodes }: { readonly nodes: readonly Named[] }, tokenIdOf?: TokenIdOf): Plan {
  const planned = nodes.map(plannedIdentity);
  const serving = new Map(planned.map((identity) => [identity.user, identity]));
  if (tokenIdOf === undefined) return { serving };
  const holders = planned.flatMap((identity) => {
    const id = tokenIdOf(identity.name);
    return id === undefined ? [] : [[`${tokenUsers}${id}`, identity] as const];
  });
  return { serving, client: new Map(holders) };
}

/**
 * What users are called that have nothing but a bootstrap token; its id follows.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#token-format
 */
export const tokenUsers = 'system:bootstrap:';

/** Whose requests there is something to say about. */
export function signersOf(plan: Plan): readonly string[] {
  return uses.filter((use) => plan[use] !== undefined).map((use) => signers[use]);
}
