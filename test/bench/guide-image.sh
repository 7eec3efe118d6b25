#!/usr/bin/env bash
# guide-image.sh ROOTFS URL…: what the guide does by hand, one step after the other, on a machine that has just booted: no
# digest compared, nothing tested, nothing cleaned up. GUIDE_PACKAGES are the guide's and its system's.
# Prints each step with its seconds.
set -euo pipefail
rootfs=$1
shift
cd "$(mktemp -d)"
bin=/opt/k8s/bin

since=$EPOCHREALTIME
step() {
  awk -v name="$1" -v from="$since" -v to="$EPOCHREALTIME" 'BEGIN { printf "%s\t%.1f\n", name, to - from }'
  since=$EPOCHREALTIME
}

apt-get update >log
read -ra packages <<<"$GUIDE_PACKAGES"
DEBIAN_FRONTEND=noninteractive apt-get install -y gcc make wget "${packages[@]}" >>log 2>&1
step 'apt install'

for url in "$@"; do wget --quiet "$url"; done
step 'wget, one by one'

mkdir -p "$bin" cni-plugins containerd /opt/k8s/kube-nginx/{conf,logs,sbin}
tar -xzf nginx-*.tar.gz
cd nginx-*/
./configure --with-stream --without-http --prefix="$PWD/nginx-prefix" --without-http_uwsgi_module \
  --without-http_scgi_module --without-http_fastcgi_module >>../log 2>&1
{ make && make install; } >>../log 2>&1
cp nginx-prefix/sbin/nginx /opt/k8s/kube-nginx/sbin/kube-nginx
cd ..
step 'nginx: configure, make, make install'

tar -xf containerd-*.tar.gz -C containerd
tar -xf crictl-*.tar.gz
tar -xf cni-plugins-*.tgz -C cni-plugins
mv runc.amd64 runc
chmod +x runc kubelet
cp containerd/bin/* crictl cni-plugins/* runc kubelet "$bin"
cp -r "$rootfs/." /
systemctl daemon-reload
systemctl enable kube-nginx containerd kubelet >>log 2>&1
step 'binaries, files and units'
