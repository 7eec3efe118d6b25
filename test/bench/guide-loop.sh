#!/usr/bin/env bash
# The guide's own per-node work, sections 3 (1) to (4), for NODES (name address, a line each) into OUT: its sed and its
# copies, with cp where it has scp. kubeadm and kubectl, which it runs five times a node, are left out: this is the
# guide at its fastest.
set -euo pipefail
nodes=$1 templates=$2 out=$3
while read -r name ip; do
  mkdir -p "$out/$name"
  sed -e "s/##NODE_IP##/${ip}/" "$templates/kubelet-config.yaml.template" > "$templates/kubelet-config-${ip}.yaml"
  cp "$templates/kubelet-config-${ip}.yaml" "$out/$name/kubelet-config.yaml"
  rm "$templates/kubelet-config-${ip}.yaml"
  sed -e "s/##NODE_NAME##/${name}/" "$templates/kubelet.service.template" > "$templates/kubelet-${name}.service"
  cp "$templates/kubelet-${name}.service" "$out/$name/kubelet.service"
  rm "$templates/kubelet-${name}.service"
  cp "$templates/kubelet-bootstrap.kubeconfig" "$out/$name/kubelet-bootstrap.kubeconfig"
done < "$nodes"
