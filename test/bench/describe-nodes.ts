/** A cluster of many nodes: as a description, as a list for a shell loop, and as the guide's templates. */
export function describeNodes(count: number): { yaml: string; list: string; guideTemplates: Map<string, string> } {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `node${index}`,
    address: `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
  }));
  const yaml = `version: 1
controlPlane:
  apiServers: [192.168.31.44:6443, 192.168.31.136:6443, 192.168.31.90:6443]
  certificateAuthority: ca.pem
network:
  podCIDR: 172.30.0.0/16
  serviceCIDR: 10.254.0.0/16
  dnsAddress: 10.254.0.2
nodes:
${nodes.map(({ name, address }) => `  - name: ${name}\n    address: ${address}\n`).join('')}`;
  const list = nodes.map(({ name, address }) => `${name} ${address}\n`).join('');
  // As long as the guide's; what stands between the marks makes no difference to sed.
  const filler = (lines: number): string => 'someKubeletField: "some value"\n'.repeat(lines);
  return {
    yaml,
    list,
    guideTemplates: new Map([
      [
        'kubelet-config.yaml.template',
        `address: "##NODE_IP##"\n${filler(30)}healthzBindAddress: "##NODE_IP##"\n${filler(45)}`,
      ],
      ['kubelet.service.template', `${filler(18)}  --hostname-override=##NODE_NAME## \\\n${filler(12)}`],
      ['kubelet-bootstrap.kubeconfig', filler(70)],
    ]),
  };
}
