#!/usr/bin/env bash
# kubelet of Kubernetes 1.18.6.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/kubernetes-module.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/kubernetes-module.sh"

mkdir "$destination/.work"
cd "$destination/.work"
kubernetes_module
build_kubernetes "$destination" kubelet
cd "$destination"
rm -rf .work
