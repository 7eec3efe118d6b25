#!/usr/bin/env bash
# A Debian 12 root file system with what a baked image's Ubuntu has, and with the tools that tests run inside it.
# run-in-root runs a command in a throwaway layer over it; systemd-nspawn boots one as a node.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

node=(
  systemd-sysv systemd-timesyncd dbus udev kmod procps sudo netplan.io cloud-init openssh-server logrotate
  iproute2 iptables conntrack socat ipset ethtool jq curl ca-certificates
  containerd runc containernetworking-plugins
)
tools=(shellcheck gcc make libc6-dev)
include=("${node[@]}" "${tools[@]}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
private_apt "$work"
# mmdebstrap is a Perl script with no modules of its own: it runs from its unpacked package, uninstalled.
cd "$work"
"${APT[@]}" download mmdebstrap
dpkg-deb --extract mmdebstrap_*.deb mmdebstrap
"$work/mmdebstrap/usr/bin/mmdebstrap" --quiet --mode=root --variant=minbase \
  --include="$(IFS=,; echo "${include[*]}")" \
  --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  bookworm "$destination" /etc/apt/sources.list.d/debian.sources
