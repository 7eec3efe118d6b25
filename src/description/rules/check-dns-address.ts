import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { addressOf, canonical, contains, familyOf, firstHost, isNetworkOrBroadcast } from './addresses.ts';
import type { Subject } from './rule.ts';

/** The DNS service gets an address of the services' network, and one that is free. */
export function* checkDnsAddress({ cluster }: Subject): Iterable<Diagnostic> {
  const { dnsAddress, serviceCidr } = cluster.network;
  const found = { path: ['network', 'dnsAddress'], at: 'value' } as const;
  const free = 'write one of the others';
  if (!contains(serviceCidr, dnsAddress)) {
    yield {
      ...found,
      code: 'dns-address-outside',
      message: `${dnsAddress} lies outside the services' network ${serviceCidr}; write an address inside it`,
      notes: [{ path: ['network', 'serviceCIDR'], at: 'value', message: 'the network is here' }],
    };
  } else if (canonical(dnsAddress) === firstHost(serviceCidr)) {
    const message = `${dnsAddress} is the first address of ${serviceCidr}, which the service \`kubernetes\` has; ${free}`;
    yield { ...found, code: 'dns-address-reserved', message };
  } else if (isReserved(dnsAddress, serviceCidr)) {
    const message = `no service can have ${dnsAddress}, the very first or last of ${serviceCidr}; ${free}`;
    yield { ...found, code: 'dns-address-reserved', message };
  }
}

/** Kubernetes leaves out the network's own address, and the last one of IPv4 (k8s.io/kubernetes/pkg/registry/core/service/ipallocator). */
function isReserved(address: string, network: string): boolean {
  const own = canonical(address) === canonical(addressOf(network));
  return own || (familyOf(address) === 'IPv4' && isNetworkOrBroadcast(`${address}/${network.replace(/.*\//, '')}`));
}
