#!/usr/bin/env bash
# Makes the certificates in this folder, and examples/guide/ca.pem. It was run once: the dates are fixed, and every
# private key is thrown away with the temporary folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# shellcheck source=test/support/certificates/issue.sh
source "$here/issue.sh"

issue ca /CN=kubernetes authority ca
issue another-ca /CN=another authority another-ca
issue expired-ca /CN=expired authority expired-ca 20100101000000Z 20110101000000Z
issue future-ca /CN=future authority future-ca 21100101000000Z
issue ca-that-cannot-sign '/CN=cannot sign' cannot-sign ca-that-cannot-sign
issue intermediate /CN=intermediate authority ca

issue server /CN=kube-apiserver server ca
issue client /CN=kubernetes-master client ca
issue client-without-name /O=system:masters client ca
issue client-of-another-ca /CN=kubernetes-master client another-ca
issue client-by-intermediate /CN=kubernetes-master client intermediate
cat intermediate.pem >>client-by-intermediate.pem

new_key=(-newkey rsa:2048)
issue guide-ca /CN=kubernetes authority guide-ca

cat ca.pem another-ca.pem >two-cas.pem
cat ca.pem expired-ca.pem >ca-and-expired.pem
head -n 5 ca.pem >cut-short.pem
openssl x509 -in ca.pem -outform der -out ca.der

cp guide-ca.pem "$here/../../../examples/guide/ca.pem"
rm intermediate.pem guide-ca.pem
# openssl ca also leaves a copy of each under its serial number.
cp client.csr "$here/request.pem"
for file in *.pem ca.der; do [[ $file =~ ^[0-9A-F]{20,}\.pem$ ]] || cp "$file" "$here/"; done
