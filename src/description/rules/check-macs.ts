import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';

/** A MAC address finds one interface of one machine. */
export function* checkMacs({ cluster }: Subject): Iterable<Diagnostic> {
  const macs = cluster.nodes.flatMap(({ name, interfaces }, node) =>
    interfaces.flatMap(({ match }, index) =>
      match.kind === 'mac' ? [{ mac: match.mac, name, path: ['nodes', node, 'interfaces', index, 'mac'] }] : [],
    ),
  );
  for (const { item, first } of repeated(macs, ({ mac }) => mac)) {
    yield {
      code: 'duplicate-mac',
      path: item.path,
      at: 'value',
      message: `an interface of ${first.name} has this MAC address too; write each interface's own`,
      notes: [{ path: first.path, at: 'value', message: 'it is used here' }],
    };
  }
}
