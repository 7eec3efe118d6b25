#!/usr/bin/env bash
# What makes the build machine this one machine goes, so that each node that starts from the image becomes its own. An
# existing machine stays what it is, unless image.null.sysprep says that it becomes an image.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

if [[ $SYSPREP != true ]]; then exit; fi

# Empty, not missing: systemd then makes a new one at boot (machine-id(5)). dpkg leaves D-Bus's a file of its own, which
# systemd would copy back, the same to every node.
: >/etc/machine-id
install -d /var/lib/dbus
ln -sfn /etc/machine-id /var/lib/dbus/machine-id
# Its unit writes another one when the machine is shut down, unless it is stopped already.
quietly systemctl stop systemd-random-seed.service
rm -f /var/lib/systemd/random-seed

# The network as cloud-init wrote it for the build machine's MAC address, and the leases that went with it. The seed goes
# too: nodes would all take it for theirs, and whose keys it names.
if command -v cloud-init >/dev/null; then quietly cloud-init clean --logs --seed; fi
rm -f /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init
rm -f /var/lib/dhcp/*.leases /var/lib/dhclient/*.leases /var/lib/NetworkManager/*.lease

# Made again at boot by ssh-host-keys.service. Nobody's keys open the door of a node but those of its user-data.
rm -f /etc/ssh/ssh_host_*
rm -f /root/.ssh/authorized_keys* /home/*/.ssh/authorized_keys*

rm -f /root/.bash_history /home/*/.bash_history
rm -rf /var/log/journal/* /tmp/* /var/lib/apt/lists/*
find /var/log -type f -exec truncate --size=0 '{}' +

# Blocks that were written and are free again do not become part of the image.
fstrim / 2>/dev/null || true
