#!/usr/bin/env bash
# The root file system of a Debian 12 cloud image: kernel, GRUB, cloud-init, netplan, resolved, an SSH server, automatic
# updates; no compiler and nothing of a cluster. systemd-nspawn boots it as it is, QEMU from a disk made of it.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/debian-root.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/debian-root.sh"

case ${ARCHITECTURE:-amd64} in
  amd64) boot=(linux-image-amd64 grub-pc) console=ttyS0,115200 ;;
  arm64) boot=(linux-image-arm64 grub-efi-arm64 dosfstools) console=ttyAMA0 ;;
esac

debian_root "$destination" \
  systemd-sysv systemd-resolved systemd-timesyncd dbus udev kmod procps sudo e2fsprogs fdisk \
  "${boot[@]}" cloud-init cloud-guest-utils netplan.io iproute2 openssh-server \
  locales ca-certificates unattended-upgrades

# As Debian sets up its cloud images.
echo 'en_US.UTF-8 UTF-8' >"$destination/etc/locale.gen"
chroot "$destination" locale-gen >/dev/null
sed -i -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' -e 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX="console=tty0 console='"$console"'"/' \
  "$destination/etc/default/grub"
