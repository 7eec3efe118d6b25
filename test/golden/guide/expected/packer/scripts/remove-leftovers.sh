#!/usr/bin/env bash
# The last script, also when another one failed: what only the bake needed goes.
set -euo pipefail
# An upload may have failed before this came along.
if [[ ! -e $BAKE_FOLDER/quietly.sh ]]; then
  rm -rf "$BAKE_FOLDER"
  exit
fi
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

quietly systemctl unmask --runtime apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service
held=/var/lib/bake/held-units
if [[ -e $held ]]; then
  xargs systemctl start <"$held"
  rm "$held"
fi
if [[ -d ${held%/*} ]]; then rmdir --ignore-fail-on-non-empty "${held%/*}"; fi
quietly apt-get clean
rm -rf "$BAKE_FOLDER"
