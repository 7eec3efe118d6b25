#!/bin/sh
# Runs where Packer runs: the disk image as FORMAT, where Packer has built it as something else.
set -eu
if [ "$BUILT" = "$DISK" ]; then exit; fi
qemu-img convert -O "$FORMAT" "$BUILT" "$DISK"
rm "$BUILT"
