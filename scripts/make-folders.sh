#!/usr/bin/env bash
# Folders that the units and kubelet expect, and names under which others look for them.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

install -d \
  /etc/cni/net.d \
  /etc/kubernetes/cert \
  "$K8S_DIR/kubelet/kubelet-plugins/volume/exec"
# containerd makes them so itself: what is below belongs to containers.
install -d -m 0711 "$CONTAINERD_DIR/root" "$CONTAINERD_DIR/state"

# DaemonSets of CNI and CSI drivers write to the folders that Kubernetes has by default, through hostPath.
link() {
  local target=$1 name=$2
  if [[ $target == "$name" ]]; then return; fi
  if [[ -d $name && ! -L $name ]] && ! rmdir "$name" 2>/dev/null; then
    echo "$name is a folder with files in it, and should be a link to $target; move them there, and the folder away" >&2
    return 1
  fi
  install -d "${name%/*}"
  ln -sfn "$target" "$name"
}
link /opt/k8s/bin /opt/cni/bin
link "$K8S_DIR/kubelet" /var/lib/kubelet
