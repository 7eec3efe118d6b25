#!/usr/bin/env bash
# kube-nginx from source, with the guide's configure flags. The compiler is gone afterwards, if it was not there before.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

export DEBIAN_FRONTEND=noninteractive
prefix=/opt/k8s/kube-nginx
source_folder=$BAKE_FOLDER/nginx

installed_packages() { dpkg-query --show --showformat '${db:Status-Abbrev}${binary:Package}\n' | sed -n 's/^ii //p' | sort; }

before=$(installed_packages)
read -ra build_packages <<<"$NGINX_BUILD_PACKAGES"
quietly apt-get -o Acquire::Retries=5 install --yes --no-install-recommends "${build_packages[@]}"

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

mapfile -t added < <(comm -13 <(echo "$before") <(installed_packages))
if ((${#added[@]} > 0)); then
  quietly apt-get purge --yes "${added[@]}"
  # test-image.sh looks whether they are gone.
  printf '%s\n' "${added[@]}" >"$BAKE_FOLDER/added-packages"
fi
