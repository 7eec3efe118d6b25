#!/usr/bin/env bash
# What runs at every boot of the image. kubelet is among them: it waits for its node's user-data.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

# ufw would drop what is forwarded to pods.
if command -v ufw >/dev/null; then quietly ufw disable; fi

quietly systemctl daemon-reload
quietly systemctl enable kube-nginx.service containerd.service forward-accept.service kubelet.service \
  ssh-host-keys.service bake-check.timer
