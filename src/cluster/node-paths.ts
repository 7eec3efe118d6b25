/** Where things lie on a node. Units, user-data and the scripts of the image agree by these names. */
export const nodePaths = {
  certificateAuthority: '/etc/kubernetes/cert/ca.pem',
  certificates: '/etc/kubernetes/cert',
  kubeletConfig: '/etc/kubernetes/kubelet-config.yaml',
  kubeletEnvironment: '/etc/kubernetes/kubelet.env',
  bootstrapKubeconfig: '/etc/kubernetes/kubelet-bootstrap.kubeconfig',
  kubeconfig: '/etc/kubernetes/kubelet.kubeconfig',
  /** SHA-256 of what user-data placed; written last, so that cut-short user-data has none or a wrong one. */
  checksums: '/etc/kubernetes/bake.sha256',
  resolvConf: '/etc/kubernetes/resolv.conf',
  cniConfig: '/etc/cni/net.d',
} as const;
