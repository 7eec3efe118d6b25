#!/usr/bin/env bash
# Puts what rootfs/etc/default/grub.d says on the kernel's command line, where this image has such a file.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if [[ ! -e /etc/default/grub.d/90-bake.cfg ]]; then exit; fi
# A container runs on the kernel of another machine.
if systemd-detect-virt --quiet --container; then exit; fi

if ! command -v update-grub >/dev/null; then
  echo 'the cgroup version is set on the kernel command line by update-grub, which this system does not have' >&2
  exit 1
fi
quietly update-grub
