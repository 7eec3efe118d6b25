#!/usr/bin/env bash
# The scripts that cluster.yaml names under image.scripts, as root, in their order.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

cd /
read -ra names <<<"$HOOKS"
for hook in "${names[@]}"; do
  chmod 0755 "$BAKE_FOLDER/$hook"
  quietly "$BAKE_FOLDER/$hook"
done
