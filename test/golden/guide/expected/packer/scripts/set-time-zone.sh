#!/usr/bin/env bash
# As timedatectl does it, which wants a running D-Bus.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if [[ ! -f /usr/share/zoneinfo/$TIME_ZONE ]]; then
  echo "the tz database of this system has no $TIME_ZONE" >&2
  exit 1
fi
ln -sfn "/usr/share/zoneinfo/$TIME_ZONE" /etc/localtime
echo "$TIME_ZONE" >/etc/timezone
