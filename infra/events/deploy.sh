#!/usr/bin/env bash
# Deploys the second layer: who hears of what is written. Run it after the app, whose functions it names.
#
#   deploy.sh RESOURCE_GROUP APP_NAME TOPIC_NAME DATA_ACCOUNT_NAME [USER_TOPIC_NAME]
set -euo pipefail
cd "$(dirname "$0")"

usage='usage: deploy.sh RESOURCE_GROUP APP_NAME TOPIC_NAME DATA_ACCOUNT_NAME [USER_TOPIC_NAME]'
az deployment group create --resource-group "${1:?$usage}" --name events --template-file main.bicep --output none \
  --parameters appName="${2:?$usage}" topicName="${3:?$usage}" dataAccountName="${4:?$usage}" userTopicName="${5:-}"
