#!/usr/bin/env bash
# What came from the machine that runs Packer is what artifacts.tsv (name, URL, SHA-256) says; nothing else is installed.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

wrong=0
while IFS=$'\t' read -r name url expected; do
  actual=$(sha256sum <"$BAKE_FOLDER/artifacts/$name")
  actual=${actual%% *}
  case $expected in
    "$actual") ;;
    trust-first-download) echo "$name is taken as it came, with SHA-256 $actual; bake lock pins it" >&2 ;;
    *)
      printf '%s is not the file that was meant, which is at %s\n  expected SHA-256 %s\n  got               %s\n' \
        "$name" "$url" "$expected" "$actual" >&2
      wrong=1
      ;;
  esac
done <"$BAKE_FOLDER/artifacts.tsv"
exit "$wrong"
