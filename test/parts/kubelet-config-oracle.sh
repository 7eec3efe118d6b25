#!/usr/bin/env bash
# oracle-1.18 … oracle-1.23: kubelet-config-oracle/main.go against the types of each minor version.
set -euo pipefail
destination=$1
source_folder=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/kubelet-config-oracle

build_oracle() {
  local version=$1 minor module
  minor=1.$(cut -d. -f2 <<<"$version")
  module=$(mktemp -d "$destination/.module-XXXXXX")
  cp "$source_folder/main.go" "$module"
  cd "$module"
  # What k8s.io/kubelet requires decides every other version. json-iterator and reflect2 are the exceptions: before these
  # versions reflect2 guesses at the runtime's map layout, which has changed.
  cat >go.mod <<MODULE
module kubelet-config-oracle
go 1.22
require (
	k8s.io/kubelet $version
	github.com/json-iterator/go v1.1.12
	github.com/modern-go/reflect2 v1.0.2
)
MODULE
  CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags='-s -w' -o "$destination/oracle-$minor" .
  cd "$destination"
  rm -rf "$module"
}

for version in v0.18.6 v0.19.16 v0.20.2 v0.21.14 v0.22.17 v0.23.17; do
  build_oracle "$version"
done
