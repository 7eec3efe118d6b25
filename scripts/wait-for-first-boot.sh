#!/usr/bin/env bash
# SSH answers while the base system's own cloud-init still installs and configures.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if command -v cloud-init >/dev/null; then
  # 2 is an error that cloud-init recovered from (https://docs.cloud-init.io/en/latest/explanation/return_codes.html).
  status=0
  quietly timeout 900 cloud-init status --wait || status=$?
  case $status in
    0 | 2) ;;
    124) echo 'cloud-init is not done after 15 minutes' >&2 && exit 1 ;;
    *) exit "$status" ;;
  esac
fi

# What failed before is none of the bake's: test-image.sh leaves it out.
systemctl list-units --state=failed --plain --no-legend >"$BAKE_FOLDER/failed-units"
