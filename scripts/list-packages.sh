#!/usr/bin/env bash
# What apt has installed, for the bill of materials: name, version, architecture.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

list=$BAKE_FOLDER/packages.tsv
dpkg-query --show --showformat '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n' |
  sed -n 's/^installed\t//p' | LC_ALL=C sort >"$list"
# The account that Packer logs in with reads it.
chmod 0644 "$list"
