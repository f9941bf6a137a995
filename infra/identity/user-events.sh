#!/usr/bin/env bash
# Asks Microsoft Graph to tell a partner topic of Event Grid when users change, so that leavers are backed up at once.
# Graph forgets after 29 days at most: run it again with the id that it printed to renew.
#
#   user-events.sh RESOURCE_GROUP LOCATION TOPIC_NAME [SUBSCRIPTION_ID] [--apply]
#
# Needs az, signed in with User.Read.All, and Microsoft Graph authorised as a partner in the resource group. The first time
# it also activates the topic and gives it an identity, for its dead letters; then deploy both layers with the topic's name as
# userTopicName.
set -euo pipefail

usage='usage: user-events.sh RESOURCE_GROUP LOCATION TOPIC_NAME [SUBSCRIPTION_ID] [--apply]'
group=${1:?$usage}
location=${2:?$usage}
topic=${3:?$usage}
id=''
apply=''
for option in "${@:4}"; do
  case $option in
    --apply) apply=yes ;;
    -*) echo "unknown option: $option" >&2; exit 2 ;;
    *) id=$option ;;
  esac
done

expires=$(date -u -d '+28 days' +%Y-%m-%dT%H:%M:%SZ)
account=$(az account show --query id --output tsv)
target="EventGrid:?azuresubscriptionid=$account&resourcegroup=$group&partnertopic=$topic&location=$location"
url=https://graph.microsoft.com/v1.0/subscriptions

if [[ -n $id ]]; then
  method=PATCH url=$url/$id
  body="{\"expirationDateTime\": \"$expires\"}"
else
  method=POST
  body="{\"changeType\": \"updated,deleted\", \"resource\": \"users\", \"expirationDateTime\": \"$expires\",
    \"notificationUrl\": \"$target\", \"lifecycleNotificationUrl\": \"$target\"}"
fi
if [[ -z $apply ]]; then
  echo "would $method $url: $body"
  exit 0
fi
az rest --method "$method" --url "$url" --headers 'content-type=application/json' --body "$body" --query id --output tsv

if [[ $method == POST ]]; then
  resource="/subscriptions/$account/resourceGroups/$group/providers/Microsoft.EventGrid/partnerTopics/$topic"
  az rest --method PATCH --url "$resource?api-version=2025-02-15" --body '{"identity": {"type": "SystemAssigned"}}' --output none
  az rest --method POST --url "$resource/activate?api-version=2025-02-15" --output none
fi
