#!/usr/bin/env bash
# Puts one secret into the key vault unless it is there.
#
#   secret.sh RESOURCE_GROUP KEY_VAULT_NAME seal-key [--renew]                      32 random bytes that nobody sees
#   secret.sh RESOURCE_GROUP KEY_VAULT_NAME notify-webhook-url [--renew] <FILE      a line of standard input
#
# Goes through the resource manager, so that whoever deploys needs no right to read secrets. Needs az and jq. With --renew a new
# value takes the place of the old. Let restores that are under way end before you renew the seal key: they cannot open what the
# old one sealed.
set -euo pipefail
cd "$(dirname "$0")"

usage='usage: secret.sh RESOURCE_GROUP KEY_VAULT_NAME seal-key|notify-webhook-url [--renew]'
group=${1:?$usage}
vault=${2:?$usage}
name=${3:?$usage}
renew=${4:-}
[[ $name == seal-key || $name == notify-webhook-url ]] || { echo "unknown secret: $name" >&2; exit 2; }
[[ -z $renew || $renew == --renew ]] || { echo "unknown option: $renew" >&2; exit 2; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
umask 077

id=$(az keyvault show --resource-group "$group" --name "$vault" --query id --output tsv)
if az rest --method GET --url "$id/secrets/$name?api-version=2024-11-01" --output none 2>"$dir/error"; then
  if [[ -z $renew ]]; then
    echo "$name is there"
    exit 0
  fi
elif ! grep -qi 'not *found' "$dir/error"; then
  # Not knowing is not the same as none: a key too many would lock out what the first one sealed.
  cat "$dir/error" >&2
  exit 1
fi

value() { if [[ $name == seal-key ]]; then openssl rand -base64 32; else cat; fi; }

# In a file, since arguments of a process can be read by others on the machine.
value | jq -Rn --arg vault "$vault" --arg name "$name" \
  '{keyVaultName: {value: $vault}, name: {value: $name}, value: {value: input}}' >"$dir/parameters.json"
az deployment group create --resource-group "$group" --name "$name" --template-file secret.bicep \
  --parameters @"$dir/parameters.json" --output none
echo "made $name"
