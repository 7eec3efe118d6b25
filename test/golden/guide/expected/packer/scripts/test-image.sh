#!/usr/bin/env bash
# The image as its nodes will find it, looked at from inside. Everything that is wrong is said, then the bake fails.
# shellcheck disable=SC2317 # `expect` calls the functions
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"
# shellcheck source=/dev/null
source /etc/bake-release

bin=/opt/k8s/bin
nginx=/opt/k8s/kube-nginx
wrong=0

# expect WHAT COMMAND…: says WHAT is not so when the command fails.
expect() {
  local what=$1
  shift
  if "$@" >"$BAKE_FOLDER/said" 2>&1; then return; fi
  echo "not so: $what" >&2
  head -n 20 "$BAKE_FOLDER/said" >&2
  wrong=1
}
not() { ! "$@"; }
# Prints what the command finds, and fails when it finds anything.
none() {
  local found
  found=$("$@" 2>/dev/null) || true
  echo "$found"
  [[ -z $found ]]
}
absent() { not test -e "$1" && not test -L "$1"; }
# A mode is a pattern.
# shellcheck disable=SC2053
mode() { [[ $(stat -Lc '%a %U:%G' "$2") == $1 ]]; }
# dpkg remembers names of packages that are not there.
installed() { dpkg-query --show --showformat '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }
links_to() { [[ $(readlink "$1") == "$2" ]]; }

# A version stands alone, or between a v and what a distribution adds to it.
says() {
  local version=$1 said
  shift
  said=$("$@" 2>&1) || true
  echo "$said"
  grep -Eq "(^|[^0-9.])v?${version//./\\.}([^0-9.]|$)" <<<"$said"
}
expect "kube-nginx is $NGINX_VERSION" says "$NGINX_VERSION" "$nginx/sbin/kube-nginx" -v
expect "containerd is $CONTAINERD_VERSION" says "$CONTAINERD_VERSION" "$bin/containerd" --version
expect "runc is $RUNC_VERSION" says "$RUNC_VERSION" "$bin/runc" --version
expect "crictl is $CRICTL_VERSION" says "$CRICTL_VERSION" "$bin/crictl" --version
expect "kubelet is $KUBELET_VERSION" says "$KUBELET_VERSION" "$bin/kubelet" --version
# Not every build of the CNI plugins knows its version.
for plugin in bridge host-local loopback portmap; do
  expect "the CNI plugin $plugin runs" env CNI_COMMAND=VERSION "$bin/$plugin"
done

expect "kube-nginx's configuration is good" "$nginx/sbin/kube-nginx" -c "$nginx/conf/kube-nginx.conf" -p "$nginx" -t
for unit in {kube-nginx,containerd,forward-accept,kubelet,ssh-host-keys}.service bake-check.timer; do
  expect "$unit is a good unit" systemd-analyze verify --man=no "/etc/systemd/system/$unit"
  expect "$unit is enabled" systemctl is-enabled "$unit"
done
# shellcheck disable=SC2016 # these are awk's variables
expect 'no unit has failed in the bake' none awk 'FILENAME == ARGV[1] { before[$1]; next } !($1 in before)' \
  "$BAKE_FOLDER/failed-units" <(systemctl list-units --state=failed --plain --no-legend)

for folder in /etc/cni/net.d /etc/kubernetes /etc/kubernetes/cert /opt/k8s/bin "$nginx/conf" "$nginx/logs" "$nginx/sbin" \
  "$K8S_DIR/kubelet"; do
  expect "$folder is a folder with mode 0755 of root's" mode '755 root:root' "$folder"
done
# containerd has it 0711, and 0700 since CVE-2024-25621.
expect "nobody but root lists $CONTAINERD_DIR/root" mode '7[01][01] root:root' "$CONTAINERD_DIR/root"
expect '/opt/cni/bin leads to /opt/k8s/bin' test /opt/cni/bin -ef /opt/k8s/bin
expect "/var/lib/kubelet leads to $K8S_DIR/kubelet" test /var/lib/kubelet -ef "$K8S_DIR/kubelet"
expect "the pods' resolv.conf exists" test -L /etc/kubernetes/resolv.conf

expect 'there is no swap' test -z "$(swapon --show --noheadings 2>/dev/null)"
# shellcheck disable=SC2016 # these are awk's variables
expect 'fstab brings no swap' not awk '$1 !~ /^#/ && $3 == "swap" { found = 1 } END { exit !found }' /etc/fstab
expect 'no unit brings swap' none systemctl list-unit-files --type=swap --state=enabled --no-legend
expect 'swap.target is masked' links_to /etc/systemd/system/swap.target /dev/null
# A container runs on the kernel of another machine.
if ! systemd-detect-virt --quiet --container; then
  while read -r module; do
    expect "the kernel has the module $module" modprobe --dry-run "$module"
  done < <(grep -v '^#' /etc/modules-load.d/kubernetes.conf)
fi

if [[ -e $BAKE_FOLDER/added-packages ]]; then
  while read -r package; do
    expect "the build's package $package is gone" not installed "$package"
  done <"$BAKE_FOLDER/added-packages"
fi

free=$(df --output=avail --block-size=1M "$CONTAINERD_DIR" | tail -n 1)
expect "a node can pull images: 512 MiB are free below $CONTAINERD_DIR, not ${free// /}" test "$free" -ge 512

if [[ $SYSPREP == true ]]; then
  expect 'the machine-id is empty, and made at boot' test -e /etc/machine-id -a ! -s /etc/machine-id
  expect "D-Bus's machine-id is the system's" links_to /var/lib/dbus/machine-id /etc/machine-id
  for file in /var/lib/dhcp/*.leases /var/lib/dhclient/*.leases /home/*/.ssh/authorized_keys /var/lib/systemd/random-seed /etc/netplan/50-cloud-init.yaml /var/lib/cloud/{instance,seed} /etc/ssh/ssh_host_*_key \
    /root/.bash_history /home/*/.bash_history /root/.ssh/authorized_keys \
    /etc/kubernetes/{bake.sha256,kubelet.env,kubelet-bootstrap.kubeconfig,kubelet.kubeconfig}; do
    expect "$file is gone" absent "$file"
  done
  expect "apt's lists are gone" none find /var/lib/apt/lists -type f
  # A program that reads keys, which is a binary file, holds those words too.
  expect 'the image holds no private key' none grep -rlIE 'BEGIN ([A-Z]+ )?PRIVATE KEY' \
    /etc/kubernetes /etc/ssh /opt/k8s /root /home
fi

rm -f "$BAKE_FOLDER/said"
exit "$wrong"
