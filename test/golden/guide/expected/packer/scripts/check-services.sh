#!/usr/bin/env bash
# The guide's checks of versions and of each service's status, as far as an image that is no node yet can have them.
# What did not run before does not run afterwards, and leaves nothing behind.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

bin=/opt/k8s/bin

# Every program starts: it is of this architecture and finds the glibc that it was linked with.
quietly /opt/k8s/kube-nginx/sbin/kube-nginx -v
quietly "$bin/containerd" --version
quietly "$bin/runc" --version
quietly "$bin/crictl" --version
quietly "$bin/kubelet" --version
CNI_COMMAND=VERSION quietly "$bin/loopback"

units=({kube-nginx,containerd,forward-accept,kubelet,ssh-host-keys,bake-check}.service bake-check.timer)
quietly systemd-analyze verify --man=no "${units[@]/#//etc/systemd/system/}"

started=()
start() {
  if systemctl --quiet is-active "$1"; then return; fi
  if ! quietly systemctl start "$1"; then
    journalctl --no-pager --unit "$1" --lines 30 >&2
    return 1
  fi
  started=("$1" "${started[@]}")
}

# With a mistake in config.toml containerd starts all the same, and only its CRI plugin does not.
# ctr would fail when grep has seen enough and closes a pipe.
answers_kubelet() { grep -Eq '^io\.containerd\.grpc\.v1 +cri .* ok *$' <<<"$("$bin/ctr" plugins ls)"; }

# The guide's `systemctl status SERVICE | grep Active:`
up() {
  local service=$1
  shift
  for _ in {1..30}; do
    if systemctl --quiet is-active "$service" && "$@" 2>/dev/null; then return; fi
    sleep 1
  done
  journalctl --no-pager --unit "$service" --lines 30 >&2
  echo "$service is not up after 30 seconds" >&2
  return 1
}

unused=no
if [[ -z $(ls -A "$CONTAINERD_DIR/root") ]]; then unused=yes; fi

start forward-accept.service
start kube-nginx.service
start containerd.service
up kube-nginx.service true
up containerd.service answers_kubelet

# Without user-data kubelet must wait, and not as a failed unit.
if [[ ! -e /etc/kubernetes/bake.sha256 ]]; then
  quietly systemctl start kubelet.service
  state=$(systemctl show --property=ActiveState --value kubelet.service)
  if [[ $state != inactive ]]; then
    echo "kubelet.service is $state without user-data; it should be inactive" >&2
    exit 1
  fi
fi

if ((${#started[@]} > 0)); then quietly systemctl stop "${started[@]}"; fi
if [[ $unused == yes ]]; then rm -rf "${CONTAINERD_DIR:?}"/{root,state}/*; fi
