# Sourced by every script here: nothing is said while all goes well, and what failed is named when it does not.
# shellcheck shell=bash

# What failed in `quietly` is named there.
trap '[[ $BASH_COMMAND == return* ]] || printf "line %d failed: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR

# Runs a command and keeps what it says to itself, unless it fails.
quietly() {
  local said status=0
  said=$(mktemp)
  "$@" >"$said" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    printf 'exit code %d from: %s\n' "$status" "$*" >&2
    cat "$said" >&2
  fi
  rm -f "$said"
  return "$status"
}
