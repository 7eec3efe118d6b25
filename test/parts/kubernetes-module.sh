# shellcheck shell=bash
# Sourced by recipes that build programs of Kubernetes 1.18.6, the guide's own, from its Go module.
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

KUBERNETES_VERSION=1.18.6

# Makes the current folder a Go module that requires Kubernetes, and puts a Go that builds it first in PATH. The options of
# private_apt are in APT.
kubernetes_module() {
  local upstream
  # Its golang.org/x/sys and friends do not build with a Go newer than 1.19. Debian has that one; unpacked, not installed.
  private_apt "$PWD/apt"
  "${APT[@]}" download golang-1.19-go golang-1.19-src
  for package in golang-1.19-*.deb; do dpkg-deb --extract "$package" toolchain; done
  export GOROOT=$PWD/toolchain/usr/lib/go-1.19 CGO_ENABLED=0
  PATH=$GOROOT/bin:$PATH

  # As a dependency its go.mod's `replace` lines do not count, and they point into its own tree: they are repeated here, each
  # at the published module. The host of vbom.ml is gone.
  upstream=$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@v$KUBERNETES_VERSION")
  {
    printf 'module kubernetes-part\ngo 1.13\nrequire k8s.io/kubernetes v%s\n' "$KUBERNETES_VERSION"
    sed -n '/^replace (/,/^)/p' "$upstream" |
      sed -e "s|=> \./staging/src/\(.*\)|=> \1 v0.${KUBERNETES_VERSION#*.}|" \
        -e 's|=> vbom.ml/util |=> github.com/fvbommel/util |'
  } >go.mod
}

# build_kubernetes FOLDER COMMAND [FLAG…]: FOLDER/COMMAND, with further flags for `go build`
build_kubernetes() {
  local destination=$1 command=$2 stamp=
  shift 2
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamp+=" -X $package.gitVersion=v$KUBERNETES_VERSION -X $package.gitMajor=1 -X $package.gitMinor=18 -X $package.gitTreeState=clean"
  done
  go build -mod=mod -trimpath -ldflags="-s -w$stamp" "$@" -o "$destination/$command" "k8s.io/kubernetes/cmd/$command"
}
