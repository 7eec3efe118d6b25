#!/usr/bin/env bash
# make-cluster-identities.sh FOLDER ADDRESS…: NAME.pem and NAME.key of a control plane whose apiservers have these addresses,
# with the subjects, hosts and usages that the guide gives to its own.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$1"
shift
# shellcheck source=test/support/certificates/issue.sh
source "$here/issue.sh"
new_key=(-newkey rsa:2048)

addresses=$(printf ', IP:%s' "$@")
cat >>openssl.cnf <<CONFIG
[kubernetes]
subjectAltName = IP:127.0.0.1$addresses, IP:10.254.0.1, DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, DNS:kubernetes.default.svc.cluster, DNS:kubernetes.default.svc.cluster.local
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
[etcd]
subjectAltName = IP:127.0.0.1
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth, clientAuth
CONFIG

issue ca /O=k8s/CN=kubernetes authority ca
issue etcd /O=k8s/CN=etcd etcd ca
issue kubernetes /O=k8s/CN=kubernetes-master kubernetes ca
issue admin /O=system:masters/CN=admin client ca
issue kube-controller-manager /O=system:kube-controller-manager/CN=system:kube-controller-manager client ca
