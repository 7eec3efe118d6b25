#!/usr/bin/env bash
# A real registry of container images, Debian's: FOLDER/docker-registry.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

private_apt "$destination/.apt"
cd "$destination/.apt"
"${APT[@]}" download docker-registry
dpkg --extract docker-registry_*.deb files
mv files/usr/bin/docker-registry "$destination/"
rm -rf "$destination/.apt"
