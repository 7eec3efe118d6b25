#!/usr/bin/env bash
# build-image.sh REFERENCE
# Runs inside the part `buildah`: builds /project by its Dockerfile, on an image that is made of /slim and of the Node.js in
# /node, and writes /out/image.tar as `docker save` does.
set -euo pipefail
reference=$1
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=overlay

base=$(buildah from scratch)
buildah add --quiet "$base" /slim /
buildah add --quiet "$base" /node /usr/local
buildah run "$base" ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
# What npm needs of this machine to reach its registry.
buildah add --quiet "$base" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
buildah config --env NPM_CONFIG_REGISTRY="$NPM_CONFIG_REGISTRY" \
  --env NPM_CONFIG_CAFILE=/etc/ssl/certs/ca-certificates.crt "$base"
buildah commit --quiet "$base" localhost/node
digest=$(buildah inspect --type image --format '{{.FromImageDigest}}' localhost/node)

buildah build --network host --pull=never --build-arg NODE_IMAGE="localhost/node@$digest" --tag "$reference" /project
buildah push --quiet "$reference" "docker-archive:/out/image.tar:$reference"
