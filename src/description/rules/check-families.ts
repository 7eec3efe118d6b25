import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { familyOf } from './addresses.ts';
import type { Subject } from './rule.ts';

/** Pods, services and nodes speak one family: dual-stack takes two networks each, which bake does not write. */
export function* checkFamilies({ cluster }: Subject): Iterable<Diagnostic> {
  const { podCidr, serviceCidr } = cluster.network;
  const family = familyOf(podCidr);
  const differs = (written: string): boolean => familyOf(written) !== family;

  if (differs(serviceCidr)) {
    yield mixed(
      ['network', 'serviceCIDR'],
      `the services' network is ${familyOf(serviceCidr)}, the pods' ${family}`,
      podsHere,
    );
  }
  if (cluster.nodes.every(({ address }) => differs(address))) {
    const note = { path: ['nodes', 0, 'address'], at: 'value', message: 'the first node is here' } as const;
    yield mixed(podsHere.path, `the pods' network is ${family}, and no node is`, note);
    return;
  }
  for (const [index, { name, address }] of cluster.nodes.entries()) {
    if (!differs(address)) continue;
    yield mixed(
      ['nodes', index, 'address'],
      `${name} is planned with ${familyOf(address)}, the pods with ${family}`,
      podsHere,
    );
  }
}

const podsHere = { path: ['network', 'podCIDR'], at: 'value', message: "the pods' network is here" } as const;
type NoteHere = Readonly<{ path: Path; at: 'value'; message: string }>;

function mixed(path: Path, fact: string, note: NoteHere): Diagnostic {
  return { code: 'mixed-families', path, at: 'value', message: `${fact}; write all of one family`, notes: [note] };
}
