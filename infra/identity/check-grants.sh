#!/usr/bin/env bash
# Says what an identity holds in Graph and Exchange beyond its duty, and what it lacks. Exit code 1 when it holds too much.
#
#   check-grants.sh DUTY PRINCIPAL_ID EXCHANGE_JSON      EXCHANGE_JSON is what list-exchange.ps1 wrote
#
# Needs az, signed in with any role that reads the directory, and this project's npm ci. It changes nothing.
set -euo pipefail
cd "$(dirname "$0")"
PATH="$PWD/../../node_modules/.bin:$PATH"

duty=${1:?usage: check-grants.sh DUTY PRINCIPAL_ID EXCHANGE_JSON}
principal_id=${2:?usage: check-grants.sh DUTY PRINCIPAL_ID EXCHANGE_JSON}
exchange=${3:?usage: check-grants.sh DUTY PRINCIPAL_ID EXCHANGE_JSON}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
graph=https://graph.microsoft.com/v1.0
az rest --method GET --url "$graph/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?\$select=appRoles" >"$dir/roles.json"
az rest --method GET --url "$graph/servicePrincipals/$principal_id/appRoleAssignments" >"$dir/graph.json"
node ../../tools/check-grants/main.ts --duty "$duty" --graph "$dir/graph.json" --exchange "$exchange" --roles "$dir/roles.json"
