# shellcheck shell=bash
# Sourced by recipes: an apt with the mirrors and keys of this machine and nothing else of it, so that source packages can
# be had without a deb-src line in /etc/apt and two builds do not wait for the machine's package lock.

# Makes the folder $1 and leaves the options for apt-get in the array APT.
private_apt() {
  mkdir -p "$1/lists/partial" "$1/archives/partial"
  sed 's/^Types: .*/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources >"$1/debian.sources"
  # shellcheck disable=SC2034 # read by the recipes
  APT=(
    apt-get --quiet --quiet
    --option Dir::Etc::SourceList="$1/debian.sources"
    --option Dir::Etc::SourceParts=-
    --option Dir::State::Lists="$1/lists"
    --option Dir::Cache="$1"
    # apt would otherwise drop to the user _apt, who may not enter a folder of root's.
    --option APT::Sandbox::User=root
  )
  "${APT[@]}" update
}
