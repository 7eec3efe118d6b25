#!/usr/bin/env bash
# Makes the certificates in this folder, and examples/guide/ca.pem. It was run once: the dates are fixed, and every
# private key is thrown away with the temporary folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
: >index.txt
cat >openssl.cnf <<'CONFIG'
[ca]
default_ca = here
[here]
database = index.txt
rand_serial = yes
new_certs_dir = .
unique_subject = no
default_md = sha256
policy = anything
[anything]
organizationName = optional
commonName = optional
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[cannot-sign]
basicConstraints = critical, CA:TRUE
keyUsage = critical, digitalSignature
[server]
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[client]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
CONFIG

# request NAME SUBJECT [KEY ARGUMENTS]: NAME.key and NAME.csr
request() {
  local name=$1 subject=$2
  shift 2
  [ $# -gt 0 ] || set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256
  openssl req -new -config openssl.cnf "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "$subject" 2>/dev/null
}

# sign NAME EXTENSIONS ISSUER FROM TO: NAME.pem; an ISSUER of its own name signs itself
sign() {
  local name=$1 extensions=$2 issuer=$3 from=$4 to=$5 by
  if [ "$issuer" = "$name" ]; then by=(-selfsign); else by=(-cert "$issuer.pem"); fi
  openssl ca -batch -notext -config openssl.cnf "${by[@]}" -keyfile "$issuer.key" -extensions "$extensions" \
    -startdate "$from" -enddate "$to" -in "$name.csr" -out "$name.pem" 2>/dev/null
}

valid=(20200101000000Z 21200101000000Z)
request guide-ca '/CN=kubernetes' -newkey rsa:2048
sign guide-ca authority guide-ca "${valid[@]}"

request ca '/CN=kubernetes'
sign ca authority ca "${valid[@]}"
request another-ca '/CN=another'
sign another-ca authority another-ca "${valid[@]}"
request expired-ca '/CN=expired'
sign expired-ca authority expired-ca 20100101000000Z 20110101000000Z
request future-ca '/CN=future'
sign future-ca authority future-ca 21100101000000Z 21200101000000Z
request ca-that-cannot-sign '/CN=cannot sign'
sign ca-that-cannot-sign cannot-sign ca-that-cannot-sign "${valid[@]}"
request intermediate '/CN=intermediate'
sign intermediate authority ca "${valid[@]}"

request server '/CN=kube-apiserver'
sign server server ca "${valid[@]}"
request client '/CN=kubernetes-master'
sign client client ca "${valid[@]}"
request client-without-name '/O=system:masters'
sign client-without-name client ca "${valid[@]}"
request client-of-another-ca '/CN=kubernetes-master'
sign client-of-another-ca client another-ca "${valid[@]}"
request client-by-intermediate '/CN=kubernetes-master'
sign client-by-intermediate client intermediate "${valid[@]}"
cat intermediate.pem >>client-by-intermediate.pem

cat ca.pem another-ca.pem >two-cas.pem
cat ca.pem expired-ca.pem >ca-and-expired.pem
head -n 5 ca.pem >cut-short.pem
openssl x509 -in ca.pem -outform der -out ca.der

cp guide-ca.pem "$here/../../../examples/guide/ca.pem"
rm intermediate.pem guide-ca.pem
# openssl ca also leaves a copy of each under its serial number.
cp client.csr "$here/request.pem"
for file in *.pem ca.der; do [[ $file =~ ^[0-9A-F]{20,}\.pem$ ]] || cp "$file" "$here/"; done
