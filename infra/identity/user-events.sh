#!/usr/bin/env bash
# Asks Microsoft Graph to tell a partner topic of Event Grid when users change, so that leavers are backed up at once.
# Graph forgets after 29 days: run it again with the id that it printed to renew.
#
#   user-events.sh RESOURCE_GROUP LOCATION TOPIC_NAME [SUBSCRIPTION_ID] [--apply]
#
# Needs az, signed in with User.Read.All, and Microsoft Graph authorised as a partner in the resource group. Afterwards
# activate the topic, and give its name to events/main.bicep as userTopicName.
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

expires=$(date -u -d '+29 days' +%Y-%m-%dT%H:%M:%SZ)
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
