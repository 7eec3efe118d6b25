#!/usr/bin/env bash
# packer, and plugins/ as a PACKER_PLUGIN_PATH in which `packer init` finds the amazon and qemu plugins without a network.
set -euo pipefail
version=1.11.2
amazon=1.3.2
qemu=1.0.9
destination=$1

mkdir "$destination/.module"
cd "$destination/.module"
# The replace line is Packer's own: its fork of go-cty keeps the gob support that plugins speak over.
cat >go.mod <<MODULE
module packer-part
go 1.22
require (
	github.com/hashicorp/packer v$version
	github.com/hashicorp/packer-plugin-amazon v$amazon
	github.com/hashicorp/packer-plugin-qemu v$qemu
)
replace github.com/zclconf/go-cty => github.com/nywilken/go-cty v1.13.3
MODULE
export CGO_ENABLED=0
for name in packer packer-plugin-amazon packer-plugin-qemu; do
  go build -mod=mod -trimpath -ldflags='-s -w' -o "$name" "github.com/hashicorp/$name"
done

# HOME, because packer otherwise makes its configuration folder in the user's.
export CHECKPOINT_DISABLE=1 PACKER_PLUGIN_PATH=$destination/plugins HOME=$PWD
for plugin in amazon qemu; do
  ./packer plugins install --path "packer-plugin-$plugin" "github.com/hashicorp/$plugin"
done
mv packer "$destination"
cd "$destination"
rm -rf .module
