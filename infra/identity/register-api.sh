#!/usr/bin/env bash
# Registers the API in Entra ID: the app that callers ask tokens for, with the app roles of api-roles.json.
# Prints the client id, which the parameter apiClientId wants. Safe to run again: it updates what is there.
#
#   register-api.sh NAME [--apply]      without --apply it says what it would do
#
# Needs az, signed in as Application Administrator.
set -euo pipefail
cd "$(dirname "$0")"

name=${1:?usage: register-api.sh NAME [--apply]}
apply=${2:-}
[[ -z $apply || $apply == --apply ]] || { echo "unknown option: $apply" >&2; exit 2; }

client_id=$(az ad app list --filter "displayName eq '$name'" --query '[0].appId' --output tsv)
if [[ -z $apply ]]; then
  if [[ -n $client_id ]]; then what="update $client_id"; else what="make $name"; fi
  echo "would $what, with these app roles:"
  grep -o '"value": "[^"]*"' api-roles.json
  exit 0
fi

if [[ -z $client_id ]]; then
  client_id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
az ad app update --id "$client_id" --identifier-uris "api://$client_id" --app-roles @api-roles.json
# Version 2 tokens name the client id as their audience, which is what the app's authentication expects.
object_id=$(az ad app show --id "$client_id" --query id --output tsv)
az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$object_id" \
  --headers 'content-type=application/json' --body '{"api": {"requestedAccessTokenVersion": 2}}'
principal_id=$(az ad sp list --filter "appId eq '$client_id'" --query '[0].id' --output tsv)
if [[ -z $principal_id ]]; then
  principal_id=$(az ad sp create --id "$client_id" --query id --output tsv)
fi
# Without this, anybody of the tenant could get a token; the app would refuse them, but why let them come so far.
az ad sp update --id "$principal_id" --set appRoleAssignmentRequired=true
echo "$client_id"
