#!/usr/bin/env bash
# kube-nginx from source, with the guide's configure flags. remove-build-packages.sh removes the compiler again.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

export DEBIAN_FRONTEND=noninteractive
prefix=/opt/k8s/kube-nginx
source_folder=$BAKE_FOLDER/nginx

read -ra build_packages <<<"$NGINX_BUILD_PACKAGES"
install_packages() { apt-get -o Acquire::Retries=5 install --yes --no-install-recommends "${build_packages[@]}" "$@"; }
# Noted before they come: a bake that is cut off leaves them, and the next one could not tell them from the machine's own.
install -d /var/lib/bake
install_packages --simulate | sed -n 's/^Inst \([^ ]*\) (.*/\1/p' >>/var/lib/bake/build-packages
quietly install_packages

rm -rf "$source_folder"
mkdir "$source_folder"
quietly tar --extract --gzip --file "$BAKE_FOLDER/artifacts/nginx.tar.gz" --directory "$source_folder" \
  --strip-components=1 --no-same-owner
cd "$source_folder"
# The prefix is where it runs, so that it finds its files also without -p.
quietly ./configure --with-stream --without-http --prefix="$prefix" \
  --without-http_uwsgi_module --without-http_scgi_module --without-http_fastcgi_module
quietly make --jobs="$(nproc)"
quietly objs/nginx -v

install -d "$prefix/conf" "$prefix/logs" "$prefix/sbin"
install -m 0755 objs/nginx "$prefix/sbin/kube-nginx"
cd /
rm -rf "$source_folder"
