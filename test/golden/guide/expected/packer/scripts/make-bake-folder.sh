#!/usr/bin/env bash
# The first script: an empty BAKE_FOLDER of the account that logs in, which uploads into it.
set -euo pipefail

sudo() { if [[ $(id -u) == 0 ]]; then "$@"; else command sudo -n "$@"; fi; }

# What an earlier bake left may be root's.
sudo rm -rf "$BAKE_FOLDER"
mkdir "$BAKE_FOLDER" "$BAKE_FOLDER/artifacts"

# An upload that finds no room says only that it failed.
needed=700
free=$(df --output=avail --block-size=1M "$BAKE_FOLDER" | tail -n 1)
if ((free < needed)); then
  echo "the bake needs $needed MiB below ${BAKE_FOLDER%/*}, where ${free// /} are free" >&2
  exit 1
fi
