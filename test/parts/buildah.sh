#!/usr/bin/env bash
# What builds the image of a Dockerfile without a service: FOLDER/root is a root file system with Debian's buildah,
# FOLDER/slim one that Node.js runs in, to be the base of images.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/debian-root.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/debian-root.sh"

mkdir "$destination/root" "$destination/slim"
# In subshells: each cleans up when it ends.
(debian_root "$destination/root" buildah iproute2)
(debian_root "$destination/slim" libstdc++6 ca-certificates)
