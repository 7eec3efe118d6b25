#!/usr/bin/env bash
# kubelet of Kubernetes 1.18.6, the guide's own. kube-controller-manager and kubectl need no more than their names in
# `commands`; kube-apiserver needs a file generated first (k8s.io/kube-openapi/cmd/openapi-gen over a GOPATH layout).
set -euo pipefail
version=1.18.6
commands=(kubelet)
destination=$1
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

mkdir "$destination/.work"
cd "$destination/.work"

# Its golang.org/x/sys and friends do not build with a Go newer than 1.19. Debian has that one; unpacked, not installed.
private_apt "$PWD/apt"
"${APT[@]}" download golang-1.19-go golang-1.19-src
for package in golang-1.19-*.deb; do dpkg-deb --extract "$package" toolchain; done
export GOROOT=$PWD/toolchain/usr/lib/go-1.19 CGO_ENABLED=0
PATH=$GOROOT/bin:$PATH

# As a dependency its go.mod's `replace` lines do not count, and they point into its own tree: they are repeated here, each
# at the published module. The host of vbom.ml is gone.
upstream=$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@v$version")
{
  printf 'module kubernetes-part\ngo 1.13\nrequire k8s.io/kubernetes v%s\n' "$version"
  sed -n '/^replace (/,/^)/p' "$upstream" |
    sed -e "s|=> \./staging/src/\(.*\)|=> \1 v0.${version#*.}|" \
      -e 's|=> vbom.ml/util |=> github.com/fvbommel/util |'
} >go.mod

stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=18 -X $package.gitTreeState=clean"
done
for command in "${commands[@]}"; do
  go build -mod=mod -trimpath -ldflags="-s -w$stamp" -o "$destination/$command" "k8s.io/kubernetes/cmd/$command"
done

cd "$destination"
rm -rf .work
