#!/usr/bin/env bash
# Places rootfs/, which mirrors the image's own file system.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

cd "$BAKE_FOLDER/rootfs"
while IFS= read -r -d '' file; do
  mode=0644
  if [[ -x $file ]]; then mode=0755; fi
  install -D -o root -g root -m "$mode" "$file" "/$file"
done < <(find . -type f -printf '%P\0')
