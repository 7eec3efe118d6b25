#!/usr/bin/env bash
# The cluster's nodes in /etc/hosts, as a block of our own that another bake replaces.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

begin='# bake: nodes of the cluster'
end='# bake: end'

others=$(sed "/^$begin\$/,/^$end\$/d" /etc/hosts)
# Written in place: where /etc/hosts is a mount, it cannot be renamed over.
{
  echo "$others"
  echo "$begin"
  cat "$BAKE_FOLDER/hosts"
  echo "$end"
} >"$BAKE_FOLDER/hosts.new"
cat "$BAKE_FOLDER/hosts.new" >/etc/hosts
