import type { Interface, Node } from '../../cluster/cluster.ts';
import type { Diagnostic, Path } from '../../diagnostics/diagnostic.ts';
import { familyOf } from './addresses.ts';
import { repeated } from './repeated.ts';
import type { Subject } from './rule.ts';

/** Each interface can be found on its machine, and each VLAN has one to stand on. */
export function* checkInterfaces({ spec, cluster }: Subject): Iterable<Diagnostic> {
  for (const [index, node] of cluster.nodes.entries()) {
    if (node.interfaces.length === 0) continue;
    const path = ['nodes', index, 'interfaces'];
    for (const [at, { name, mac }] of (spec.nodes[index]?.interfaces ?? []).entries()) {
      if (name !== undefined || mac !== undefined) continue;
      const message = 'nothing says which interface this is; add its name or its mac';
      yield { code: 'interface-unidentified', path: [...path, at], at: 'key', message };
    }
    yield* checkNames(node, path);
    yield* checkVlans(node, path);
    yield* checkMtus(node, path);
  }
}

function* checkNames({ interfaces }: Node, path: Path): Iterable<Diagnostic> {
  const named = interfaces.map(({ name }, index) => ({ name, path: [...path, index, 'name'] }));
  for (const { item, first } of repeated(named, ({ name }) => name)) {
    yield {
      code: 'duplicate-interface',
      path: item.path,
      at: 'value',
      message: `this node has an interface ${item.name} already; give each a name of its own`,
      notes: [{ path: first.path, at: 'value', message: 'it stands here first' }],
    };
  }
}

function* checkVlans({ interfaces }: Node, path: Path): Iterable<Diagnostic> {
  const vlans = interfaces.flatMap(({ name, match, vlan }, index) =>
    vlan.kind === 'vlan' ? [{ name, match, ...vlan, path: [...path, index] }] : [],
  );
  for (const { name, match, link, path: at } of vlans) {
    if (match.kind === 'mac') {
      const message = `a VLAN is found by its link, and has the link's MAC address; remove mac here, and name the VLAN`;
      yield { code: 'vlan-with-mac', path: [...at, 'mac'], at: 'value', message };
    }
    const carrier = interfaces.find((other) => other.name === link);
    if (carrier === undefined) {
      const message = `this node has no interface ${link}; add it to interfaces, or correct the link`;
      yield { code: 'unknown-link', path: [...at, 'vlan', 'link'], at: 'value', message };
    } else if (standsOn(carrier, name, interfaces)) {
      const message = `${name} would stand on itself; link it to the interface that carries it`;
      yield { code: 'unknown-link', path: [...at, 'vlan', 'link'], at: 'value', message };
    }
  }
  for (const { item, first } of repeated(vlans, ({ id, link }) => `${id} ${link}`)) {
    yield {
      code: 'duplicate-vlan',
      path: [...item.path, 'vlan', 'id'],
      at: 'value',
      message: `${item.link} carries VLAN ${item.id} already, and Linux makes each once; put the addresses into one interface`,
      notes: [{ path: [...first.path, 'vlan', 'id'], at: 'value', message: 'it stands here first' }],
    };
  }
}

/** Whether an interface is the named one, or a VLAN of a VLAN … of it. */
function standsOn(carrier: Interface, name: string, interfaces: readonly Interface[]): boolean {
  const seen = new Set<Interface>();
  for (let below: Interface | undefined = carrier; below !== undefined && !seen.has(below);) {
    if (below.name === name) return true;
    seen.add(below);
    const { vlan }: Interface = below;
    below = vlan.kind === 'vlan' ? interfaces.find((other) => other.name === vlan.link) : undefined;
  }
  return false;
}

/** RFC 8200, section 5: Linux takes IPv6 off an interface whose packets are smaller. */
const SMALLEST_IPV6_MTU = 1280;
const ETHERNET_MTU = 1500;

function* checkMtus({ interfaces }: Node, path: Path): Iterable<Diagnostic> {
  for (const [index, { mtu, addressing, vlan }] of interfaces.entries()) {
    if (mtu.kind === 'default') continue;
    const found = { code: 'bad-mtu', path: [...path, index, 'mtu'], at: 'value' } as const;
    const v6 = addressing.kind === 'static' && addressing.addresses.some((address) => familyOf(address) === 'IPv6');
    if (v6 && mtu.bytes < SMALLEST_IPV6_MTU) {
      yield {
        ...found,
        message: `Linux takes IPv6 off an interface with an MTU of ${mtu.bytes}; write ${SMALLEST_IPV6_MTU} or more`,
      };
    }
    if (vlan.kind === 'none') continue;
    const carrier = interfaces.find(({ name }) => name === vlan.link);
    const room = carrier?.mtu.kind === 'bytes' ? carrier.mtu.bytes : ETHERNET_MTU;
    if (mtu.bytes > room) {
      yield {
        ...found,
        message: `${vlan.link} carries packets of ${room} bytes, and no VLAN on it larger ones; raise its mtu, or lower this`,
      };
    }
  }
}
