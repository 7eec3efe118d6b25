import type { Node } from './cluster.ts';

/**
 * Who a node is in Kubernetes: what compile writes for its kubelet, which therefore is all that this kubelet may ask a
 * certificate for.
 */
export interface PlannedIdentity {
  /** Its name in Kubernetes and on the network: kubelet's --hostname-override. */
  readonly name: string;
  /** Its one address in Kubernetes, in one spelling: kubelet's --node-ip. */
  readonly address: string;
  /**
   * As whom kubelet speaks to the apiserver once it has its client certificate.
   * https://kubernetes.io/docs/reference/access-authn-authz/node/
   */
  readonly user: string;
}

/** The group that a kubelet's client certificate names as its organization. */
export const nodesGroup = 'system:nodes';

export type Named = Pick<Node, 'name' | 'address'>;

export function plannedIdentity({ name, address }: Named): PlannedIdentity {
  return { name, address, user: `system:node:${name}` };
}
