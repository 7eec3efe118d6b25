#!/usr/bin/env bash
# A real S3 in front of a folder, from the Go module proxy: FOLDER/versitygw.
# https://github.com/versity/versitygw/blob/v1.8.0/README.md
set -euo pipefail
folder=$1
export CGO_ENABLED=0 GOBIN=$folder
go install -trimpath -ldflags '-s -w' github.com/versity/versitygw/cmd/versitygw@v1.8.0
