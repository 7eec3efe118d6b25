import ipaddr from 'ipaddr.js';

// The shape has checked every address and network that comes here. A description may hold tens of thousands, so that
// they are compared as numbers.

export type Family = 'IPv4' | 'IPv6';

/** Of an address or of a network. */
export function familyOf(written: string): Family {
  return written.includes(':') ? 'IPv6' : 'IPv4';
}

/** One spelling for each address: fd00:0::44 is fd00::44. IPv4 has no other; net.isIP refuses leading zeros. */
export function canonical(address: string): string {
  return familyOf(address) === 'IPv4' ? address : ipaddr.parse(address).toString();
}

/** The host part of 192.168.31.44/24. */
export function addressOf(written: string): string {
  const slash = written.indexOf('/');
  return slash === -1 ? written : written.slice(0, slash);
}

function numberOf(address: string): bigint {
  if (familyOf(address) === 'IPv4')
    return BigInt(address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0));
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** All addresses of the network of 192.168.31.44/24. */
function rangeOf(written: string): Range {
  const family = familyOf(written);
  const hostBits = BigInt((family === 'IPv4' ? 32 : 128) - prefixOf(written));
  const first = (numberOf(addressOf(written)) >> hostBits) << hostBits;
  return { family, first, last: first + (1n << hostBits) - 1n };
}

function prefixOf(written: string): number {
  return Number(written.slice(written.indexOf('/') + 1));
}

function isWithin({ family, first, last }: Range, address: string): boolean {
  if (family !== familyOf(address)) return false;
  const number = numberOf(address);
  return first <= number && number <= last;
}

export function contains(network: string, address: string): boolean {
  return isWithin(rangeOf(network), address);
}

export function overlap(a: string, b: string): boolean {
  const [one, other] = [rangeOf(a), rangeOf(b)];
  return one.family === other.family && one.first <= other.last && other.first <= one.last;
}

/** The network of 192.168.31.44/24 is 192.168.31.0/24. */
export function networkOf(written: string): string {
  const { family, first } = rangeOf(written);
  return `${spell(family, first)}/${prefixOf(written)}`;
}

function spell(family: Family, number: bigint): string {
  const length = family === 'IPv4' ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) => Number((number >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry/ and its sister for IPv6. */
const specialRanges = (
  [
    ['0.0.0.0/8', 'an unspecified address'],
    ['127.0.0.0/8', 'a loopback address'],
    ['169.254.0.0/16', 'a link-local address'],
    ['224.0.0.0/4', 'a multicast address'],
    ['255.255.255.255/32', 'the broadcast address'],
    ['::/128', 'an unspecified address'],
    ['::1/128', 'a loopback address'],
    ['fe80::/10', 'a link-local address'],
    ['ff00::/8', 'a multicast address'],
  ] as const
).map(([network, kind]) => ({ kind, range: rangeOf(network) }));

export type SpecialKind = (typeof specialRanges)[number]['kind'];

/** What kind of address no machine is reached by; undefined for all others. */
export function specialKind(address: string): SpecialKind | undefined {
  return specialRanges.find(({ range }) => isWithin(range, address))?.kind;
}

/** The first and the last address of an IPv4 network name the network and all its hosts (RFC 1122, 3.2.1.3). */
export function isNetworkOrBroadcast(written: string): boolean {
  if (familyOf(written) === 'IPv6' || prefixOf(written) > 30) return false;
  const { first, last } = rangeOf(written);
  const own = numberOf(addressOf(written));
  return own === first || own === last;
}

/** The address after the network's own: in a service network it is the service `kubernetes`. */
export function firstHost(network: string): string {
  const { family, first } = rangeOf(network);
  return spell(family, first + 1n);
}
