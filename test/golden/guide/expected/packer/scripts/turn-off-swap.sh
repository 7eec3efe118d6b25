#!/usr/bin/env bash
# kubelet does not start where there is swap. It comes from fstab, from the partition table (systemd-gpt-auto-generator),
# from swap units, and from services that make it, and all four are stopped for good.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

# Not --all: that would also try what fstab has and is off, which a container may not. A unit's file is in no line of fstab.
while read -r name type; do
  quietly swapoff "$name"
  if [[ $type == file ]]; then rm -f "$name"; fi
done < <(swapon --show=NAME,TYPE --noheadings --raw)

# Fields of fstab are parted by blanks or tabs, and only the third says what it is.
if [[ -e /etc/fstab ]]; then
  awk '$1 !~ /^#/ && $3 == "swap" { print $1 }' /etc/fstab | while read -r device; do
    if [[ -f $device ]]; then rm -f "$device"; fi
  done
  sed -i -E 's/^[[:blank:]]*[^#[:blank:]]+[[:blank:]]+[^[:blank:]]+[[:blank:]]+swap([[:blank:]]|$)/# no swap under kubelet: &/' /etc/fstab
fi

quietly systemctl mask swap.target
# Another target may want them.
while read -r unit _; do
  quietly systemctl disable "$unit"
done < <(systemctl list-unit-files --type=swap --state=enabled --no-legend)
for service in dphys-swapfile.service zram-config.service zramswap.service systemd-zram-setup@zram0.service; do
  if systemctl cat "$service" >/dev/null 2>&1; then quietly systemctl mask "$service"; fi
done
