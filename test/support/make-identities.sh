#!/usr/bin/env bash
# make-identities.sh FOLDER: NAME.pem and NAME.key of two authorities, of an apiserver in every state that a node can meet
# it in, and of the client that node1 is. Keys are made anew each time, so that none is in the tree.
set -euo pipefail
cd "$1"
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
[server]
subjectAltName = IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
[elsewhere]
subjectAltName = IP:192.168.31.44
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
CONFIG

# identity NAME SUBJECT EXTENSIONS ISSUER [FROM TO]; an ISSUER of its own name signs itself
identity() {
  local name=$1 subject=$2 extensions=$3 issuer=$4 from=${5:-20200101000000Z} to=${6:-21200101000000Z} by
  openssl req -new -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" \
    -out "$name.csr" -subj "$subject"
  if [[ $issuer == "$name" ]]; then by=(-selfsign); else by=(-cert "$issuer.pem"); fi
  openssl ca -batch -notext -config openssl.cnf "${by[@]}" -keyfile "$issuer.key" -extensions "$extensions" \
    -startdate "$from" -enddate "$to" -in "$name.csr" -out "$name.pem"
}

identity ca /CN=kubernetes authority ca
identity another-ca /CN=another authority another-ca
identity server /CN=kube-apiserver server ca
identity server-elsewhere /CN=kube-apiserver elsewhere ca
identity server-of-another-ca /CN=kube-apiserver server another-ca
identity server-to-come /CN=kube-apiserver server ca 21100101000000Z
identity server-of-the-past /CN=kube-apiserver server ca 20100101000000Z 20110101000000Z
identity client /O=system:nodes/CN=system:node:node1 client ca
identity client-of-another-ca /O=system:nodes/CN=system:node:node1 client another-ca
