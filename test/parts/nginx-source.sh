#!/usr/bin/env bash
# The tarball of nginx.org, byte for byte, as Debian's source package carries it: nginx-1.22.1.tar.gz.
set -euo pipefail
version=1.22.1
sha256=9ebb333a9e82b952acd3e2b4aeb1d4ff6406f72491bab6cd9fe69f0dea737f31
destination=$1
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

private_apt "$destination/.apt"
cd "$destination/.apt"
# Not the newest revision of it: the archive of security updates may list one whose files it no longer has.
"${APT[@]}" source --download-only nginx/bookworm
sha256sum --check --quiet <<<"$sha256  nginx_$version.orig.tar.gz"
mv "nginx_$version.orig.tar.gz" "$destination/nginx-$version.tar.gz"
rm -rf "$destination/.apt"
