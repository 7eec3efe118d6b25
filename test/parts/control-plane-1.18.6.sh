#!/usr/bin/env bash
# kube-apiserver, kube-controller-manager and kubectl of Kubernetes 1.18.6, and Debian's etcd 3.4, which it works with.
set -euo pipefail
destination=$1
# shellcheck source=test/parts/kubernetes-module.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/kubernetes-module.sh"

mkdir "$destination/.work"
cd "$destination/.work"
kubernetes_module

"${APT[@]}" download etcd-server
dpkg-deb --extract etcd-server_*.deb etcd
mv etcd/usr/bin/etcd "$destination"

# The module lacks one file of kube-apiserver, which upstream generates before it builds. Its generator knows no modules: the
# sources that it reads are laid out as a GOPATH.
go build -mod=mod -o openapi-gen k8s.io/kube-openapi/cmd/openapi-gen
while read -r package folder; do
  mkdir -p "gopath/src/$package"
  cp --no-preserve=mode "$folder"/*.go "gopath/src/$package"
done < <(go list -mod=mod -deps -f '{{if not .Standard}}{{.ImportPath}} {{.Dir}}{{end}}' k8s.io/kubernetes/cmd/kube-apiserver)
package=k8s.io/kubernetes/pkg/generated/openapi
sources=$(cd gopath/src && grep -rl '+k8s:openapi-gen=' k8s.io | xargs dirname | sort -u | paste -sd,)
: >no-header
GO111MODULE=off GOPATH=$PWD/gopath ./openapi-gen --input-dirs "$sources" --output-package "$package" \
  --output-base "$PWD/gopath/src" --output-file-base zz_generated.openapi --go-header-file no-header \
  --report-filename violations

# The file is laid over the module, which itself stays as it was published. Go's index of the module's files does not look at
# what is laid over them.
generated=$package/zz_generated.openapi.go
module=$(go list -mod=mod -m -f '{{.Dir}}' k8s.io/kubernetes)
printf '{"Replace": {"%s": "%s"}}\n' "$module/${generated#k8s.io/kubernetes/}" "$PWD/gopath/src/$generated" >overlay.json

GODEBUG=goindex=0 build_kubernetes "$destination" kube-apiserver -overlay=overlay.json
build_kubernetes "$destination" kube-controller-manager
build_kubernetes "$destination" kubectl
cd "$destination"
rm -rf .work
