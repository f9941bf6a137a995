#!/usr/bin/env bash
# Lets the workflows of one GitHub repository sign in to Azure without a secret, from one environment only.
#
#   deployer.sh RESOURCE_GROUP LOCATION OWNER/REPOSITORY ENVIRONMENT [--apply]
#
# ENVIRONMENT is an environment of the repository: `plan` may look and say what would change. Any other has no rights yet:
# the foundation gives them, to the principal id that this prints as DEPLOYER_PRINCIPAL_ID.
# Needs az, signed in as Owner of the subscription. The identity lives in a resource group of its own, so that what it
# deploys can be taken down without it.
set -euo pipefail

usage='usage: deployer.sh RESOURCE_GROUP LOCATION OWNER/REPOSITORY ENVIRONMENT [--apply]'
group=${1:?$usage}
location=${2:?$usage}
repository=${3:?$usage}
environment=${4:?$usage}
apply=${5:-}
[[ -z $apply || $apply == --apply ]] || { echo "unknown option: $apply" >&2; exit 2; }

name="mailbox-vault-$environment"
subject="repo:$repository:environment:$environment"
subscription=$(az account show --query id --output tsv)
scope="/subscriptions/$subscription"
# To say what would change, reading is enough, and the right to ask. The name of a role may stand once in a tenant.
role="Mailbox Vault planner ($subscription)"

if [[ -z $apply ]]; then
  echo "would make the identity $name in $group, trust $subject$([[ $environment == plan ]] && echo ", and make it $role of $scope")"
  exit 0
fi
if [[ $environment == plan && $(az role definition list --name "$role" --query 'length(@)') == 0 ]]; then
  az role definition create --output none --role-definition "{\"Name\": \"$role\", \"AssignableScopes\": [\"$scope\"],
    \"Description\": \"Reads resources and says what a deployment would change.\", \"Actions\": [\"*/read\",
    \"Microsoft.Resources/deployments/whatIf/action\", \"Microsoft.Resources/deployments/validate/action\"]}"
fi
az group create --name "$group" --location "$location" --output none
az identity create --resource-group "$group" --name "$name" --location "$location" --output none
az identity federated-credential create --resource-group "$group" --identity-name "$name" --name github --output none \
  --issuer https://token.actions.githubusercontent.com --subject "$subject" --audiences api://AzureADTokenExchange
principal_id=$(az identity show --resource-group "$group" --name "$name" --query principalId --output tsv)
if [[ $environment == plan ]]; then
  az role assignment create --role "$role" --scope "$scope" --output none \
    --assignee-object-id "$principal_id" --assignee-principal-type ServicePrincipal
fi
echo "AZURE_CLIENT_ID=$(az identity show --resource-group "$group" --name "$name" --query clientId --output tsv)"
echo "DEPLOYER_PRINCIPAL_ID=$principal_id"
