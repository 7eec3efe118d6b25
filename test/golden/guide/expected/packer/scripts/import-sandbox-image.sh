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

quietly ctr images import "$archive"
# Not by a pipe: ctr would fail when grep has seen enough and closes it.
images=$(ctr images list --quiet)
if ! grep --quiet --line-regexp --fixed-strings "$SANDBOX_IMAGE" <<<"$images"; then
  echo "the tarball of the sandbox image holds no $SANDBOX_IMAGE, but:" >&2
  echo "$images" >&2
  exit 1
fi
quietly ctr images label "$SANDBOX_IMAGE" io.cri-containerd.pinned=pinned
if [[ $was_active == no ]]; then quietly systemctl stop containerd.service; fi
