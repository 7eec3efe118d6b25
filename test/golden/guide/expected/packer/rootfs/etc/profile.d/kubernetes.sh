export PATH="/opt/k8s/bin:$PATH"
