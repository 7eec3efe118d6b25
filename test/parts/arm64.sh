#!/usr/bin/env bash
# What an image for arm64 is baked of, and QEMU for it: disk.raw, a Debian 12 cloud image that boots by UEFI; mirror, as the
# part upstream-mirror; usr, with qemu-system-aarch64 (it takes the libraries of the part machines) and its firmware.
set -euo pipefail
destination=$1
recipes=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=test/parts/kubernetes-module.sh
source "$recipes/kubernetes-module.sh"

work=$(mktemp -d)
mkdir "$work/module"
cd "$work/module"
kubernetes_module
GOARCH=arm64 build_kubernetes "$work" kubelet

cd "$work"
"${APT[@]}" download qemu-system-arm qemu-efi-aarch64 qemu-user-static dosfstools mtools
for package in *.deb; do dpkg-deb --extract "$package" tools; done
PATH=$work/tools/usr/bin:$work/tools/sbin:$PATH
mkdir -p "$destination/usr/bin" "$destination/usr/share"
cp tools/usr/bin/qemu-system-aarch64 "$destination/usr/bin"
cp -a tools/usr/share/AAVMF tools/usr/share/qemu-efi-aarch64 "$destination/usr/share"

# Programs of arm64 run here while the disk is made. The flag F: also where they see another root.
formats=/proc/sys/fs/binfmt_misc
[ -e "$formats/register" ] || mount -t binfmt_misc binfmt_misc "$formats"
trap 'rm -rf "$work"; echo -1 >"$formats/bake-arm64"' EXIT
sed -e 's/^:[^:]*:/:bake-arm64:/' -e "s|:/[^:]*:[A-Z]*$|:$work/tools/usr/bin/qemu-aarch64-static:F|" \
  tools/usr/lib/binfmt.d/qemu-aarch64.conf >"$formats/register"

export ARCHITECTURE=arm64 APT_CONFIG=$work/apt.conf
echo 'APT { Architecture "arm64"; Architectures { "arm64"; }; };' >"$APT_CONFIG"
KUBELET_1_18_6=$work bash "$recipes/upstream-mirror.sh" "$destination/mirror"
# An initramfs with every module takes a quarter of an hour when mkinitramfs is emulated.
mmdebstrap() {
  # shellcheck disable=SC2016 # it is mmdebstrap that gives $1
  command mmdebstrap --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"
    echo MODULES=list >"$1/etc/initramfs-tools/conf.d/modules"
    printf "%s\\n" virtio_pci virtio_blk virtio_scsi ext4 >"$1/etc/initramfs-tools/modules"' "$@"
}
export -f mmdebstrap
bash "$recipes/debian-12-cloud.sh" "$work/root"
unshare --mount "$recipes/make-disk" "$MACHINES" "$work/root" "$destination/disk.raw" 2560

# A GRUB with all that it may load, under the name that firmware looks for; it goes on with the disk's own configuration.
# shellcheck disable=SC2016 # this is GRUB's $root
printf 'insmod part_gpt\ninsmod ext2\nsearch --file --set=root /etc/debian_version\nconfigfile ($root)/boot/grub/grub.cfg\n' >"$work/root/first.cfg"
chroot "$work/root" grub-mkstandalone --format=arm64-efi --output=/BOOTAA64.EFI boot/grub/grub.cfg=/first.cfg
truncate --size=32M "$work/efi"
mkfs.vfat -i 6D1F1C5E "$work/efi" >/dev/null
mmd -i "$work/efi" ::/EFI ::/EFI/BOOT
mcopy -i "$work/efi" "$work/root/BOOTAA64.EFI" ::/EFI/BOOT
# Where make-disk has left room.
dd if="$work/efi" of="$destination/disk.raw" bs=512 seek=8192 conv=notrunc status=none
