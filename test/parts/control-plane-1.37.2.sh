#!/usr/bin/env bash
# kube-apiserver and kube-controller-manager of Kubernetes 1.37.2, and the etcd 3.6 that it works with.
set -euo pipefail
version=1.37.2
etcd=3.6.16
destination=$1

mkdir "$destination/.work" "$destination/.work/etcd"
cd "$destination/.work"
export CGO_ENABLED=0

# As a dependency its go.mod's `replace` lines do not count, and they point into its own tree: they are repeated here, each
# at the published module.
upstream=$(go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@v$version")
{
  printf 'module kubernetes-part\ngo 1.26\nrequire k8s.io/kubernetes v%s\n' "$version"
  sed -n '/^replace (/,/^)/p' "$upstream" | sed -e "s|=> \./staging/src/\(.*\)|=> \1 v0.${version#*.}|"
} >go.mod

stamp=
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  stamp+=" -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=37 -X $package.gitTreeState=clean"
done
for command in kube-apiserver kube-controller-manager; do
  go build -mod=mod -trimpath -ldflags="-s -w$stamp" -o "$destination/$command" "k8s.io/kubernetes/cmd/$command"
done

cd etcd
printf 'module etcd-part\ngo 1.26\nrequire go.etcd.io/etcd/server/v3 v%s\n' "$etcd" >go.mod
go build -mod=mod -trimpath -ldflags='-s -w' -o "$destination/etcd" go.etcd.io/etcd/server/v3
cd "$destination"
rm -rf .work
