# shellcheck shell=bash
# Sourced by recipes that make a root file system of Debian 12.
# shellcheck source=test/parts/private-apt.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/private-apt.sh"

# Makes the folder $1 a root file system with the packages that follow; without documentation and manuals. It is of the
# ARCHITECTURE, whose programs this machine must be able to run.
debian_root() {
  local destination=$1 work
  shift
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder of this call
  trap "rm -rf '$work'" EXIT
  private_apt "$work"
  # mmdebstrap is a Perl script with no modules of its own: it runs from its unpacked package, uninstalled. It looks for
  # mmtarfilter in PATH.
  cd "$work" || return
  "${APT[@]}" download mmdebstrap
  dpkg-deb --extract mmdebstrap_*.deb mmdebstrap
  PATH=$work/mmdebstrap/usr/bin:$PATH mmdebstrap --quiet --mode=root --variant=minbase \
    --architectures="${ARCHITECTURE:-amd64}" --skip=check/qemu \
    --include="$(IFS=,; echo "$*")" \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    bookworm "$destination" /etc/apt/sources.list.d/debian.sources
}
