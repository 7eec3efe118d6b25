import { isIPv6 } from 'node:net';
import type { Interface, Node } from '../cluster/cluster.ts';
import { quoteYaml } from '../templates/quote-yaml.ts';
import type { Templates } from '../templates/templates.ts';

/**
 * cloud-init's network-config version 2, without the `network:` wrapper that NoCloud does not want. Gateways are gateway4
 * and gateway6: netplan 0.99 of Ubuntu 18.04 refuses `to: default`, and cloud-init 22.4 makes ::/64 of a route to ::/0.
 * https://cloudinit.readthedocs.io/en/22.4/topics/network-config-format-v2.html
 *
 * A node that says nothing about its interfaces gets none: cloud-init then asks DHCP on the first interface that has a
 * carrier, and a second one without DHCP does not hold up the boot, which no version 2 file can say.
 */
export function networkConfig(node: Node, templates: Templates): string | undefined {
  if (node.interfaces.length === 0) return undefined;
  const primary = primaryInterface(node);
  const links = node.interfaces.map((link) => linkView(link, link === primary, node));
  return templates.render('cloud-init/network-config.hbs', {
    ethernets: links.filter((link) => link.tag === undefined),
    vlans: links.filter((link) => link.tag !== undefined),
  });
}

/** The interface that the boot waits for: the one of the planned address, else of a gateway, else the first. */
function primaryInterface({ address, interfaces }: Node): Interface | undefined {
  const holdsAddress = ({ addressing }: Interface): boolean =>
    addressing.kind === 'static' && addressing.addresses.some((own) => own.startsWith(`${address}/`));
  return interfaces.find(holdsAddress) ?? interfaces.find(({ gateway }) => gateway.kind === 'gateway') ?? interfaces[0];
}

function linkView(link: Interface, primary: boolean, node: Node) {
  const dhcp = link.addressing.kind === 'dhcp';
  const v6 = isIPv6(node.address);
  return {
    name: quoteYaml(link.name),
    mac: link.match.kind === 'mac' ? link.match.mac : undefined,
    tag: link.vlan.kind === 'vlan' ? link.vlan.id : undefined,
    carrier: link.vlan.kind === 'vlan' ? quoteYaml(link.vlan.link) : undefined,
    dhcp4: dhcp && !v6,
    dhcp6: dhcp && v6,
    addresses: link.addressing.kind === 'static' ? link.addressing.addresses : undefined,
    gateway:
      link.gateway.kind === 'gateway'
        ? { version: isIPv6(link.gateway.address) ? 6 : 4, address: link.gateway.address }
        : undefined,
    nameservers: primary ? nameservers(node) : undefined,
    mtu: link.mtu.kind === 'bytes' ? link.mtu.bytes : undefined,
    optional: !primary,
  };
}

function nameservers({ nameservers: addresses, searchDomains: search }: Node) {
  return addresses.length > 0 || search.length > 0 ? { addresses, search: search.map(quoteYaml) } : undefined;
}
