#!/usr/bin/env bash
# One program keeps the clock. AMIs bring chrony for Amazon's own time service, and it stays, unless cluster.yaml names
# servers: those are systemd-timesyncd's, which does not run beside another.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if [[ -e /etc/systemd/timesyncd.conf.d/90-bake.conf ]]; then
  for package in chrony ntp ntpsec openntpd; do
    if dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
      quietly apt-get purge --yes "$package"
    fi
  done
fi
if [[ ! -e /usr/sbin/chronyd && ! -e /usr/sbin/ntpd ]]; then quietly systemctl enable systemd-timesyncd.service; fi
