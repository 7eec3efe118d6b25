#!/usr/bin/env bash
# A Debian 12 root file system with what a baked image's Ubuntu has, and with the tools that tests run inside it.
# run-in-root runs a command in a throwaway layer over it; systemd-nspawn boots one as a node.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/debian-root.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/debian-root.sh"

node=(
  systemd-sysv systemd-timesyncd dbus udev kmod procps sudo netplan.io cloud-init openssh-server logrotate
  iproute2 iptables conntrack socat ipset ethtool jq curl ca-certificates
  containerd runc containernetworking-plugins
)
tools=(shellcheck gcc make libc6-dev)
debian_root "$destination" "${node[@]}" "${tools[@]}"
