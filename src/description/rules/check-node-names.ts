import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { bootstrapGroup } from '../../tokens/bootstrap-group.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';

/** Names tell nodes apart, and so do the groups of their bootstrap tokens, which cannot hold a dot. */
export function* checkNodeNames({ cluster }: Subject): Iterable<Diagnostic> {
  const nodes = cluster.nodes.map(({ name }, index) => ({ name, path: ['nodes', index, 'name'] }));
  for (const { item, first } of repeated(nodes, ({ name }) => name)) {
    yield {
      code: 'duplicate-node-name',
      path: item.path,
      at: 'value',
      message: `an earlier node is called ${item.name} too; give each node a name of its own`,
      notes: [{ path: first.path, at: 'value', message: 'it has the name here' }],
    };
  }
  for (const { item, first } of repeated(nodes, ({ name }) => bootstrapGroup(name))) {
    if (item.name === first.name) continue;
    yield {
      code: 'same-bootstrap-group',
      path: item.path,
      at: 'value',
      message: `${item.name} and ${first.name} would share the bootstrap group ${bootstrapGroup(item.name)}; rename one of them`,
      notes: [{ path: first.path, at: 'value', message: `${first.name} is here` }],
    };
  }
}
