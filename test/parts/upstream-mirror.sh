#!/usr/bin/env bash
# HOST/PATH of upstream's URLs, with real files: nginx's source is upstream's own; containerd, runc and the CNI plugins are
# Debian's, packed as upstream packs its releases; kubelet is built from upstream's source. crictl cannot be had: a script
# that says its version stands in.
set -euo pipefail
destination=$1
architecture=${ARCHITECTURE:-amd64}
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
private_apt "$work/apt"
cd "$work"
"${APT[@]}" download containerd runc containernetworking-plugins
for package in *.deb; do dpkg-deb --extract "$package" root; done

# Debian says 1.6.20~ds1-1+deb12u3 where upstream says 1.6.20.
version_of() { dpkg-deb --field "$1"_*.deb Version | sed 's/[~+-].*//'; }

# The same bytes each time.
pack() { tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime='2020-08-02 00:00Z' "$@" | gzip --no-name; }

release() {
  folder=$destination/github.com/$1/releases/download/v$2
  mkdir -p "$folder"
}

version=$(version_of containerd)
release containerd/containerd "$version"
rm root/usr/bin/runc # a link to the one in sbin
pack --directory root/usr bin >"$folder/containerd-$version-linux-$architecture.tar.gz"

version=$(version_of runc)
release opencontainers/runc "$version"
install -m 0755 root/usr/sbin/runc "$folder/runc.$architecture"

version=$(version_of containernetworking-plugins)
release containernetworking/plugins "$version"
pack --directory root/usr/lib/cni . >"$folder/cni-plugins-linux-$architecture-v$version.tgz"

version=1.18.0
release kubernetes-sigs/cri-tools "$version"
mkdir crictl
printf '#!/bin/sh\necho crictl version v%s\n' "$version" >crictl/crictl
chmod 0755 crictl/crictl
pack --directory crictl crictl >"$folder/crictl-v$version-linux-$architecture.tar.gz"

# Hard links where they can be: the parts lie in one cache.
place() {
  mkdir -p "$(dirname "$2")"
  cp --link "$1" "$2" 2>/dev/null || cp "$1" "$2"
}
for file in "$NGINX_SOURCE"/nginx-*.tar.gz; do place "$file" "$destination/nginx.org/download/${file##*/}"; done
place "$KUBELET_1_18_6/kubelet" "$destination/dl.k8s.io/release/v1.18.6/bin/linux/$architecture/kubelet"
