#!/usr/bin/env bash
# Gives one identity its directory permissions in Microsoft Graph, as grants.json lists them. What it may do in mailboxes is
# given in Exchange, to a scope: grant-exchange.ps1.
#
#   grant-graph.sh DUTY PRINCIPAL_ID [--apply]      DUTY is backup, restore or privacy
#
# Needs az and jq, signed in as Privileged Role Administrator. Without --apply it says what it would do.
set -euo pipefail
cd "$(dirname "$0")"

duty=${1:?usage: grant-graph.sh DUTY PRINCIPAL_ID [--apply]}
principal_id=${2:?usage: grant-graph.sh DUTY PRINCIPAL_ID [--apply]}
apply=${3:-}
[[ $duty =~ ^(backup|restore|privacy)$ ]] || { echo "unknown duty: $duty" >&2; exit 2; }
[[ $principal_id =~ ^[0-9a-fA-F-]{36}$ ]] || { echo "not a principal id: $principal_id" >&2; exit 2; }
[[ -z $apply || $apply == --apply ]] || { echo "unknown option: $apply" >&2; exit 2; }

graph=https://graph.microsoft.com/v1.0
resource=$(az rest --method GET --url "$graph/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')")
resource_id=$(jq -r .id <<<"$resource")
held=$(az rest --method GET --url "$graph/servicePrincipals/$principal_id/appRoleAssignments" | jq -r '.value[].appRoleId')

jq -r --arg duty "$duty" '.[$duty].graph | to_entries[] | [.key, .value] | @tsv' grants.json |
  while IFS=$'\t' read -r role expected; do
    # By name, from Graph itself; the id in grants.json is there to notice a difference.
    id=$(jq -r --arg role "$role" '.appRoles[] | select(.value == $role) | .id' <<<"$resource")
    if [[ $id != "$expected" ]]; then
      echo "Graph gives $role the id $id, and grants.json $expected: look before you grant" >&2
      exit 1
    fi
    if grep -qx "$id" <<<"$held"; then
      echo "$duty has $role"
    elif [[ -z $apply ]]; then
      echo "would give $duty $role"
    else
      az rest --method POST --url "$graph/servicePrincipals/$principal_id/appRoleAssignments" \
        --headers 'content-type=application/json' --output none \
        --body "{\"principalId\": \"$principal_id\", \"resourceId\": \"$resource_id\", \"appRoleId\": \"$id\"}"
      echo "gave $duty $role"
    fi
  done
