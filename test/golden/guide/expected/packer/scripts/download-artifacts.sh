#!/usr/bin/env bash
# Fetches what downloads.tsv lists (name, URL, SHA-256) into artifacts/. A file that is there already and has its SHA-256
# is not fetched again; one that does not have it is refused and not kept.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

artifacts=$BAKE_FOLDER/artifacts
mkdir -p "$artifacts"

# A loop of our own: curl 7.58 (bionic) does not retry what broke in the middle.
fetch() {
  local url=$1 file=$2 attempt
  for attempt in 1 2 3 4; do
    if curl --fail --location --silent --show-error --connect-timeout 20 --speed-limit 1024 --speed-time 60 \
      --output "$file" "$url"; then
      return
    fi
    echo "$url: attempt $attempt of 5 failed" >&2
    sleep $((attempt * 5))
  done
  curl --fail --location --silent --show-error --connect-timeout 20 --output "$file" "$url"
}

check() {
  local name=$1 url=$2 expected=$3 file=$4 actual
  actual=$(sha256sum <"$file")
  actual=${actual%% *}
  case $expected in
    "$actual") ;;
    trust-first-download) echo "$name: $url is taken as it came, with SHA-256 $actual; pin it in cluster.yaml" >&2 ;;
    *)
      rm -f "$file"
      printf '%s: %s is not the file that was meant\n  expected SHA-256 %s\n  got               %s\n' \
        "$name" "$url" "$expected" "$actual" >&2
      return 1
      ;;
  esac
}

while IFS=$'\t' read -r name url sha256; do
  file=$artifacts/$name
  if [[ ! -e $file ]]; then
    fetch "$url" "$file.part"
    mv "$file.part" "$file"
  fi
  check "$name" "$url" "$sha256" "$file"
done <"$BAKE_FOLDER/downloads.tsv"
