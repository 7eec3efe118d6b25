#!/usr/bin/env bash
# What build-nginx.sh has installed goes, and nothing that was there before. Also when a bake has failed.
set -euo pipefail
# An upload may have failed before this came along.
if [[ ! -e $BAKE_FOLDER/quietly.sh ]]; then exit; fi
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

list=/var/lib/bake/build-packages
if [[ ! -e $list ]]; then exit; fi

installed() { dpkg-query --show --showformat '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qvx not-installed; }

packages=()
while read -r package; do
  if installed "$package"; then packages+=("$package"); fi
done < <(sort -u "$list")
if ((${#packages[@]} > 0)); then quietly apt-get purge --yes "${packages[@]}"; fi

# test-image.sh looks whether they are gone.
mv "$list" "$BAKE_FOLDER/added-packages"
