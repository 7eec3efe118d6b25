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
"${APT[@]}" download qemu-system-arm qemu-efi-aarch64 qemu-user-static
for package in qemu-*.deb; do dpkg-deb --extract "$package" qemu; done
mkdir -p "$destination/usr/bin" "$destination/usr/share"
cp qemu/usr/bin/qemu-system-aarch64 "$destination/usr/bin"
cp -a qemu/usr/share/AAVMF qemu/usr/share/qemu-efi-aarch64 "$destination/usr/share"

# Programs of arm64 run here while the disk is made. The flag F: also where they see another root.
formats=/proc/sys/fs/binfmt_misc
[ -e "$formats/register" ] || mount -t binfmt_misc binfmt_misc "$formats"
trap 'rm -rf "$work"; echo -1 >"$formats/bake-arm64"' EXIT
sed -e 's/^:[^:]*:/:bake-arm64:/' -e "s|:/[^:]*:[A-Z]*$|:$work/qemu/usr/bin/qemu-aarch64-static:F|" \
  qemu/usr/lib/binfmt.d/qemu-aarch64.conf >"$formats/register"

export ARCHITECTURE=arm64 APT_CONFIG=$work/apt.conf
echo 'APT { Architecture "arm64"; Architectures { "arm64"; }; };' >"$APT_CONFIG"
KUBELET_1_18_6=$work bash "$recipes/upstream-mirror.sh" "$destination/mirror"
bash "$recipes/debian-12-cloud.sh" "$work/root"
unshare --mount "$recipes/make-disk" "$MACHINES" "$work/root" "$destination/disk.raw" 2560
