import { z } from 'zod';
import { dnsName, interfaceAddress, ipAddress, macAddress, nodeName } from './scalars.ts';

// Linux's own limit for names of interfaces is 15 characters (IFNAMSIZ).
const interfaceName = z
  .string()
  .regex(
    /^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/,
    'must be the name of a network interface: at most 15 letters, digits, dots and dashes',
  );

const interfaceShape = z.strictObject({
  name: interfaceName.optional().describe('Name of the interface; with mac: the name that it is given.'),
  mac: macAddress.optional().describe('Finds the interface by its hardware address.'),
  addresses: z.array(interfaceAddress).min(1).optional().describe('Static addresses with prefix; DHCP when left out.'),
  gateway: ipAddress.optional(),
  mtu: z.int().min(576).max(65_535).optional(),
  vlan: z
    .strictObject({
      id: z.int().min(1).max(4094),
      link: interfaceName.describe('Name of the interface that carries it.'),
    })
    .optional(),
});

export const nodeShape = z.strictObject({
  name: nodeName.describe('Name of the node in Kubernetes, and its hostname.'),
  address: ipAddress.describe('The address that the node is planned to have; certificates are approved for it.'),
  interfaces: z.array(interfaceShape).min(1).optional().describe('DHCP on the first interface when left out.'),
  nameservers: z.array(ipAddress).min(1).optional(),
  searchDomains: z.array(dnsName).min(1).optional(),
});
