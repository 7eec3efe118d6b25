#!/usr/bin/env bash
# oracle-new and oracle-1.19: csr-oracle/main.go by the Go of this machine, and by the oldest that can be had. Go's parser of
# requests has become stricter, and Kubernetes 1.18 was built with older ones.
set -euo pipefail
destination=$1
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=test/parts/private-apt.sh
source "$here/private-apt.sh"

mkdir "$destination/.work"
cd "$destination/.work"
cp "$here/csr-oracle/main.go" .
printf 'module csr-oracle\ngo 1.19\n' >go.mod
export CGO_ENABLED=0
go build -trimpath -o "$destination/oracle-new" .

private_apt "$PWD/apt"
"${APT[@]}" download golang-1.19-go golang-1.19-src
for package in golang-1.19-*.deb; do dpkg-deb --extract "$package" toolchain; done
export GOROOT=$PWD/toolchain/usr/lib/go-1.19
"$GOROOT/bin/go" build -trimpath -o "$destination/oracle-1.19" .

cd "$destination"
rm -rf .work
