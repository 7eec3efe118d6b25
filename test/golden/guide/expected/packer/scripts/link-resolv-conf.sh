#!/usr/bin/env bash
# Pods must not get systemd-resolved's stub, 127.0.0.53: in a pod that is the pod itself, and CoreDNS would ask itself in
# a loop (https://coredns.io/plugins/loop/#troubleshooting). kubelet is told of this link.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

target=$RESOLV_CONF
# A machine that resolves names in another way has the servers where they always were.
if [[ ! -e $target ]]; then target=/etc/resolv.conf; fi
install -d /etc/kubernetes
ln -sfn "$target" /etc/kubernetes/resolv.conf
