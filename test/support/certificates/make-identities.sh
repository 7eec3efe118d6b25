#!/usr/bin/env bash
# make-identities.sh FOLDER: NAME.pem and NAME.key of two authorities, of an apiserver in every state that a node can meet
# it in, and of the client that node1 is. Keys are made anew each time, so that none is in the tree.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$1"
# shellcheck source=test/support/certificates/issue.sh
source "$here/issue.sh"

issue ca /CN=kubernetes authority ca
issue another-ca /CN=another authority another-ca
issue server /CN=kube-apiserver server ca
issue server-elsewhere /CN=kube-apiserver elsewhere ca
issue server-of-another-ca /CN=kube-apiserver server another-ca
issue server-new /CN=kube-apiserver server ca "$(date --utc +%Y%m%d%H%M%SZ)"
issue server-to-come /CN=kube-apiserver server ca 21100101000000Z
issue server-of-the-past /CN=kube-apiserver server ca 20100101000000Z 20110101000000Z
issue client /O=system:nodes/CN=system:node:node1 client ca
issue client-of-another-ca /O=system:nodes/CN=system:node:node1 client another-ca
