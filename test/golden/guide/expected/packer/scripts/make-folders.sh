#!/usr/bin/env bash
# Folders that the units and kubelet expect.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

install -d \
  /etc/cni/net.d \
  /etc/kubernetes/cert \
  "$K8S_DIR/kubelet/kubelet-plugins/volume/exec"
# containerd makes them so itself: what is below belongs to containers.
install -d -m 0711 "$CONTAINERD_DIR/root" "$CONTAINERD_DIR/state"
