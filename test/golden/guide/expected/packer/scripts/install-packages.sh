#!/usr/bin/env bash
# PACKAGES, which kubelet and the other scripts need.
set -euo pipefail
# shellcheck source=scripts/quietly.sh
source "$BAKE_FOLDER/quietly.sh"

export DEBIAN_FRONTEND=noninteractive
read -ra wanted <<<"$PACKAGES"

# What a bake that was cut off left half configured apt would refuse to go on from.
quietly dpkg --force-confdef --force-confold --configure --pending

# Error-Mode is known from apt 2.1.1 on: before that, a mirror that fails is a warning, and apt goes on with old lists.
quietly apt-get -o Acquire::Retries=5 -o APT::Update::Error-Mode=any update
quietly apt-get -o Acquire::Retries=5 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
  install --yes --no-install-recommends "${wanted[@]}"
