#!/usr/bin/env bash
# What boots machines and makes their disks, in a root file system of its own, so that nothing is installed on this one:
# systemd-nspawn, ip, QEMU without its windows, mke2fs, sfdisk, xorriso, a time server.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/debian-root.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/debian-root.sh"

debian_root "$destination" \
  systemd-container iproute2 qemu-system-x86 qemu-utils e2fsprogs fdisk mount xorriso socat chrony
