# shellcheck shell=bash
# Sourced: lets `openssl ca` work in the folder that is current, with certificates whose dates are fixed.
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
subjectAltName = DNS:kubernetes, IP:127.0.0.1, IP:::1
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[elsewhere]
subjectAltName = IP:192.168.31.44
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[client]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
CONFIG
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)

# issue NAME SUBJECT EXTENSIONS ISSUER [FROM TO]: NAME.key, NAME.csr and NAME.pem; an ISSUER of its own name signs itself
issue() {
  local name=$1 subject=$2 extensions=$3 issuer=$4 from=${5:-20200101000000Z} to=${6:-21200101000000Z} by
  openssl req -new -config openssl.cnf "${new_key[@]}" -nodes -keyout "$name.key" -out "$name.csr" -subj "$subject"
  if [[ $issuer == "$name" ]]; then by=(-selfsign); else by=(-cert "$issuer.pem"); fi
  openssl ca -batch -notext -config openssl.cnf "${by[@]}" -keyfile "$issuer.key" -extensions "$extensions" \
    -startdate "$from" -enddate "$to" -in "$name.csr" -out "$name.pem"
}
