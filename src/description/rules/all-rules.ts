import { checkAddressesOutsideCluster } from './check-addresses-outside-cluster.ts';
import { checkApiServers } from './check-api-servers.ts';
import { checkCertificateAuthority } from './check-certificate-authority.ts';
import { checkClientCertificate } from './check-client-certificate.ts';
import { checkClusterNetworks } from './check-cluster-networks.ts';
import { checkCombinations } from './check-combinations.ts';
import { checkDigests } from './check-digests.ts';
import { checkDnsAddress } from './check-dns-address.ts';
import { checkFamilies } from './check-families.ts';
import { checkImage } from './check-image.ts';
import { checkInterfaces } from './check-interfaces.ts';
import { checkKubeletAgreement } from './check-kubelet-agreement.ts';
import { checkKubeletConfig } from './check-kubelet-config.ts';
import { checkKubeletFlags } from './check-kubelet-flags.ts';
import { checkKubeletValues } from './check-kubelet-values.ts';
import { checkListen } from './check-listen.ts';
import { checkMacs } from './check-macs.ts';
import { checkNameservers } from './check-nameservers.ts';
import { checkNodeAddresses } from './check-node-addresses.ts';
import { checkNodeNames } from './check-node-names.ts';
import { checkSandboxImage } from './check-sandbox-image.ts';
import { checkScripts } from './check-scripts.ts';
import { checkSshKeys } from './check-ssh-keys.ts';
import { checkStaticNetwork } from './check-static-network.ts';
import { checkTokens } from './check-tokens.ts';
import { checkUserDataTarget } from './check-user-data-target.ts';
import type { Rule } from './rule.ts';

/** What must hold of a description whose shape is right. */
export const allRules: readonly Rule[] = [
  // Who the machines are
  checkNodeNames,
  checkNodeAddresses,
  checkMacs,
  checkApiServers,
  checkCertificateAuthority,
  checkClientCertificate,
  // Networks
  checkClusterNetworks,
  checkAddressesOutsideCluster,
  checkFamilies,
  checkDnsAddress,
  checkListen,
  checkInterfaces,
  checkStaticNetwork,
  checkNameservers,
  // What runs on them
  checkDigests,
  checkCombinations,
  checkKubeletConfig,
  checkKubeletValues,
  checkKubeletAgreement,
  checkKubeletFlags,
  // How they come to be
  checkImage,
  checkSandboxImage,
  checkScripts,
  checkUserDataTarget,
  checkTokens,
  checkSshKeys,
];
