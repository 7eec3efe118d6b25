#!/usr/bin/env bash
# containerd, runc, crictl, the CNI plugins and kubelet, all in one folder as in the guide.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

artifacts=$BAKE_FOLDER/artifacts
bin=/opt/k8s/bin
install -d "$bin"

extract() { quietly tar --extract --gzip --no-same-owner --directory "$bin" --file "$@"; }

extract "$artifacts/containerd.tar.gz" --strip-components=1 --wildcards 'bin/*'
extract "$artifacts/crictl.tar.gz" crictl
# Releases from 1.6 on carry a licence and a readme beside the plugins.
extract "$artifacts/cni-plugins.tgz" --exclude=LICENSE --exclude=README.md
install -m 0755 "$artifacts/runc" "$artifacts/kubelet" "$bin"
chmod a+x "$bin"/*
