#!/usr/bin/env bash
# guide-node.sh TEMPLATE URL…: first boot of a node that was not baked: what bench/guide-image.sh does, and then its services.
# TEMPLATE is the compiled packer/, with guide-image.sh in it; APT_ARCHIVE is apt's mirror.
set -euo pipefail
template=$1
shift
export BAKE_FOLDER=$template/scripts

rm -rf /etc/apt/sources.list.d
echo "deb $APT_ARCHIVE bookworm main" >/etc/apt/sources.list
bash "$BAKE_FOLDER/make-folders.sh"
bash "$BAKE_FOLDER/link-resolv-conf.sh"
bash "$template/guide-image.sh" "$template/rootfs" "$@"
systemctl start containerd kube-nginx kubelet
