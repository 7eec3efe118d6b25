#!/usr/bin/env bash
# The root file system of a Debian 12 cloud image: kernel, GRUB, cloud-init, netplan, resolved, an SSH server, automatic
# updates; no compiler and nothing of a cluster. systemd-nspawn boots it as it is, QEMU from a disk made of it.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/debian-root.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/debian-root.sh"

debian_root "$destination" \
  systemd-sysv systemd-resolved systemd-timesyncd dbus udev kmod procps sudo e2fsprogs fdisk \
  linux-image-amd64 grub-pc cloud-init cloud-guest-utils netplan.io iproute2 openssh-server \
  ca-certificates unattended-upgrades
