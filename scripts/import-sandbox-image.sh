#!/usr/bin/env bash
# The pause image, where a tarball of it came along: a node then starts its first pod without a registry. kubelet keeps
# it from its image garbage collection by --pod-infra-container-image, newer ones by containerd's label.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

archive=$BAKE_FOLDER/artifacts/sandbox-image.tar
if [[ ! -e $archive ]]; then exit; fi

ctr() { /opt/k8s/bin/ctr --namespace k8s.io "$@"; }

was_active=no
if systemctl --quiet is-active containerd.service; then was_active=yes; fi
quietly systemctl start containerd.service
for _ in {1..30}; do
  if ctr version >/dev/null 2>&1; then break; fi
  sleep 1
done

if ! quietly ctr images import "$archive"; then
  # ctr says "might be filtered out" of what is for other machines.
  echo "the tarball of the sandbox image cannot be imported; it has to be for $(dpkg --print-architecture)" >&2
  exit 1
fi
# (A grep that ends at its first find would end ctr too, by SIGPIPE, now and then.)
images=$(ctr images list --quiet)
if ! grep --quiet --line-regexp --fixed-strings "$SANDBOX_IMAGE" <<<"$images"; then
  printf 'the tarball of the sandbox image holds no %s, but:\n%s\n' "$SANDBOX_IMAGE" "$images" >&2
  exit 1
fi
quietly ctr images label "$SANDBOX_IMAGE" io.cri-containerd.pinned=pinned
if [[ $was_active == no ]]; then quietly systemctl stop containerd.service; fi
