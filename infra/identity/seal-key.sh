#!/usr/bin/env bash
# Makes the seal key in the key vault unless there is one: 32 random bytes that are shown to nobody.
#
#   seal-key.sh RESOURCE_GROUP KEY_VAULT_NAME [--renew]
#
# Goes through the resource manager, so that whoever deploys needs no right to read secrets. With --renew a new key takes the
# place of the old: let restores that are under way end first, since they cannot open what the old one sealed.
set -euo pipefail
cd "$(dirname "$0")"

group=${1:?usage: seal-key.sh RESOURCE_GROUP KEY_VAULT_NAME [--renew]}
vault=${2:?usage: seal-key.sh RESOURCE_GROUP KEY_VAULT_NAME [--renew]}
renew=${3:-}
[[ -z $renew || $renew == --renew ]] || { echo "unknown option: $renew" >&2; exit 2; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
umask 077

id=$(az keyvault show --resource-group "$group" --name "$vault" --query id --output tsv)
if az rest --method GET --url "$id/secrets/seal-key?api-version=2024-11-01" --output none 2>"$dir/error"; then
  if [[ -z $renew ]]; then
    echo "the seal key is there"
    exit 0
  fi
elif ! grep -qi 'not *found' "$dir/error"; then
  # Not knowing is not the same as none: a key too many would lock out what the first one sealed.
  cat "$dir/error" >&2
  exit 1
fi

# In a file, since arguments of a process can be read by others on the machine.
printf '{"keyVaultName": {"value": "%s"}, "name": {"value": "seal-key"}, "value": {"value": "%s"}}' \
  "$vault" "$(openssl rand -base64 32)" >"$dir/parameters.json"
az deployment group create --resource-group "$group" --name seal-key --template-file secret.bicep \
  --parameters @"$dir/parameters.json" --output none
echo "made a seal key"
