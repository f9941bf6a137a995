#!/usr/bin/env bash
# Registers the API in Entra ID: the app that callers ask tokens for, with the app roles of api-roles.json.
# Prints the client id, which the parameter apiClientId wants. Safe to run again: it updates what is there.
#
#   register-api.sh NAME [--caller CLIENT_ID]... [--trust PRINCIPAL_ID] [--apply]
#
# --caller  a program that people may call the API with, without being asked for consent; give all of them each time
# --trust   the backup identity, only where ids are translated as the caller (ID_TRANSLATION=delegated)
# --apply   without it, it says what it would do
#
# Needs az and jq, signed in as Application Administrator.
set -euo pipefail
cd "$(dirname "$0")"

usage='usage: register-api.sh NAME [--caller CLIENT_ID]... [--trust PRINCIPAL_ID] [--apply]'
name=${1:?$usage}
shift
callers='[]'
trust=''
apply=''
while (($# > 0)); do
  case $1 in
    --caller) callers=$(jq -c --arg id "${2:?$usage}" '. + [$id]' <<<"$callers"); shift ;;
    --trust) trust=${2:?$usage}; shift ;;
    --apply) apply=yes ;;
    *) echo "unknown option: $1" >&2; exit 2 ;;
  esac
  shift
done

client_id=$(az ad app list --filter "displayName eq '$name'" --query '[0].appId' --output tsv)
if [[ -z $apply ]]; then
  if [[ -n $client_id ]]; then what="update $client_id"; else what="make $name"; fi
  echo "would $what for these callers: $callers, ${trust:+trusting $trust, }with these app roles:"
  jq -r '.[].value' api-roles.json
  exit 0
fi

if [[ -z $client_id ]]; then
  client_id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
az ad app update --id "$client_id" --identifier-uris "api://$client_id" --app-roles @api-roles.json

object_id=$(az ad app show --id "$client_id" --query id --output tsv)
patch() {
  az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$object_id" --output none \
    --headers 'content-type=application/json' --body "$1"
}
# Version 2 tokens name the client id as their audience, which is what the app's authentication expects. The scope is only
# there for people to get a token at all: what they may do is in their app roles.
scope=5a0c6d0e-5a1e-4f4b-9f0e-2f6f0a1b7c10
patch '{"api": {"requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [{"id": "'$scope'", "value": "access",
  "type": "Admin", "isEnabled": true, "adminConsentDisplayName": "Call Mailbox Vault",
  "adminConsentDescription": "Call Mailbox Vault as the person who is signed in, in the app roles of that person."}]}}'
patch "$(jq -n --argjson callers "$callers" --arg scope "$scope" \
  '{api: {preAuthorizedApplications: [$callers[] | {appId: ., delegatedPermissionIds: [$scope]}]}}')"

if [[ -n $trust ]]; then
  tenant=$(az account show --query tenantId --output tsv)
  known=$(az ad app federated-credential list --id "$client_id" --query "[?subject=='$trust'] | length(@)" --output tsv)
  if [[ $known == 0 ]]; then
    az ad app federated-credential create --id "$client_id" --output none --parameters "$(jq -n --arg subject "$trust" \
      --arg issuer "https://login.microsoftonline.com/$tenant/v2.0" \
      '{name: "backup-identity", $issuer, $subject, audiences: ["api://AzureADTokenExchange"]}')"
  fi
fi

principal_id=$(az ad sp list --filter "appId eq '$client_id'" --query '[0].id' --output tsv)
if [[ -z $principal_id ]]; then
  principal_id=$(az ad sp create --id "$client_id" --query id --output tsv)
fi
# Without this, anybody of the tenant could get a token; the app would refuse them, but why let them come so far.
az ad sp update --id "$principal_id" --set appRoleAssignmentRequired=true
echo "$client_id"
