#!/usr/bin/env bash
# The cluster's token as a Kubernetes secret, made once and never printed: bash deploy/kuberay/secret.sh [NAMESPACE]
set -euo pipefail
namespace="${1:-default}"
python3 -c 'import secrets; print(secrets.token_hex(32), end="")' |
  kubectl create secret generic wavecoder-token --namespace "$namespace" --from-file=auth_token=/dev/stdin
