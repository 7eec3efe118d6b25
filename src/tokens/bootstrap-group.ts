/** Of whoever has a bootstrap token. */
export const bootstrappersGroup = 'system:bootstrappers';

/**
 * The group of a node's bootstrap token, one for each node as in the guide, beside `system:bootstrappers` that every
 * token has. A group cannot hold a dot, so node.example is node-example.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/#bootstrap-token-secret-format
 */
export function bootstrapGroup(node: string): string {
  return `${bootstrappersGroup}:${node.replaceAll('.', '-')}`;
}
