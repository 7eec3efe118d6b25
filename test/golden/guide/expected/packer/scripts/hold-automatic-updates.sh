#!/usr/bin/env bash
# The system's own updates would run apt beside the bake. They are held until it is over: remove-leftovers.sh starts again
# what is stopped here, also what a bake that was cut off had stopped.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

held=/var/lib/bake/held-units
install -d "${held%/*}"
units=(apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service)
for unit in "${units[@]}"; do
  if systemctl --quiet is-active "$unit"; then
    echo "$unit" >>"$held"
    quietly systemctl stop "$unit"
  fi
done
quietly systemctl mask --runtime "${units[@]}"

# An update that runs is waited for: killed, it would leave dpkg in the middle.
update_that_runs() {
  local service
  for service in apt-daily.service apt-daily-upgrade.service; do
    if [[ $(systemctl show --property=ActiveState --value "$service") == activating ]]; then
      echo "$service runs"
      return
    fi
  done
  return 1
}

# bionic's apt 1.6 gives up at once where another holds a lock, and has no option to wait. The locks are POSIX locks, which
# flock does not see: the kernel's own list has them by inode (proc(5), /proc/locks).
lock_that_is_held() {
  local file
  for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    if [[ -e $file ]] && grep -q ":$(stat -c %i "$file") " /proc/locks; then
      echo "$file is locked"
      return
    fi
  done
  return 1
}

deadline=$((SECONDS + 900))
while why=$(update_that_runs || lock_that_is_held); do
  if ((SECONDS > deadline)); then
    echo "after 15 minutes, $why still" >&2
    exit 1
  fi
  sleep 2
done
