#!/usr/bin/env bash
# APT_MIRROR instead of the addresses that the base image came with, for the bake and for the nodes.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if [[ -z $APT_MIRROR ]]; then exit; fi

# shellcheck source=/dev/null
source /etc/os-release
case $ID in
  ubuntu) components='main restricted universe multiverse' security=$VERSION_CODENAME-security ;;
  debian) components='main' security=$VERSION_CODENAME-security ;;
  *) echo "nobody knows the suites of $ID" >&2 && exit 1 ;;
esac

# One file, so that no other address is left in any of them.
rm -f /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
cat >/etc/apt/sources.list <<SOURCES
deb $APT_MIRROR $VERSION_CODENAME $components
deb $APT_MIRROR $VERSION_CODENAME-updates $components
deb $APT_SECURITY_MIRROR $security $components
SOURCES
# cloud-init would write the list again at a node's first boot.
printf 'apt:\n  preserve_sources_list: true\n' >/etc/cloud/cloud.cfg.d/90-bake-apt.cfg
