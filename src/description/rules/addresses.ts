import ipaddr from 'ipaddr.js';

// The shape has checked every address and network that comes here.

/** One spelling for each address: fd00:0::44 is fd00::44. */
export function canonical(address: string): string {
  return ipaddr.parse(address).toString();
}

export type Family = 'IPv4' | 'IPv6';

/** Of an address or of a network. */
export function familyOf(written: string): Family {
  return written.includes(':') ? 'IPv6' : 'IPv4';
}

/** The host part of 192.168.31.44/24. */
export function addressOf(written: string): string {
  return written.replace(/\/.*/, '');
}

export function contains(network: string, address: string): boolean {
  return familyOf(network) === familyOf(address) && ipaddr.parse(address).match(ipaddr.parseCIDR(network));
}

export function overlap(a: string, b: string): boolean {
  return contains(a, addressOf(b)) || contains(b, addressOf(a));
}

/** The network of 192.168.31.44/24 is 192.168.31.0/24. */
export function networkOf(written: string): string {
  const [address, prefix] = ipaddr.parseCIDR(written);
  const { IPv4, IPv6 } = ipaddr;
  return `${(address.kind() === 'ipv4' ? IPv4 : IPv6).networkAddressFromCIDR(written).toString()}/${prefix}`;
}

/** Why kubelet refuses an address as its node's own, or no machine can have it; undefined where one can. */
export function unusable(address: string): string | undefined {
  const kinds: Readonly<Record<string, string>> = {
    unspecified: 'the unspecified address',
    broadcast: 'the broadcast address',
    multicast: 'a multicast address',
    linkLocal: 'a link-local address',
    loopback: 'a loopback address',
  };
  return kinds[ipaddr.parse(address).range()];
}

/** The first and the last address of an IPv4 network name the network and all its hosts (RFC 1122, 3.2.1.3). */
export function isNetworkOrBroadcast(written: string): boolean {
  const [address, prefix] = ipaddr.parseCIDR(written);
  if (address.kind() === 'ipv6' || prefix > 30) return false;
  const ends = [ipaddr.IPv4.networkAddressFromCIDR(written), ipaddr.IPv4.broadcastAddressFromCIDR(written)];
  return ends.some((end) => end.toString() === address.toString());
}

/** The address after the network's own: in a service network it is the service `kubernetes`. */
export function firstHost(network: string): string {
  const bytes = ipaddr.parseCIDR(network)[0].toByteArray();
  return ipaddr.fromByteArray([...bytes.slice(0, -1), (bytes.at(-1) ?? 0) | 1]).toString();
}
