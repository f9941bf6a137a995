targetScope = 'subscription'

metadata description = 'Both layers at once, to try things out: `azd up` by an Owner. Production deploys foundation.bicep and app.bicep apart, by different people.'

import { appGroupOf } from 'names.bicep'

@description('Names the deployment; part of every resource\'s name.')
@minLength(2)
@maxLength(8)
param environmentName string

param location string
param tags object

@description('Client id of the app registration that callers ask tokens for; identity/register-api.sh makes it.')
param apiClientId string

@description('Client ids of the programs that may call.')
param apiCallers array

@description('Settings of the app that a person chooses, by the names that docs/settings.md explains.')
param settings object

param alertEmails array
param monthlyBudget int

@description('First day of the month that the budget starts in, such as 2026-12-01.')
param budgetStart string

module foundation 'foundation.bicep' = {
  name: 'mv-${environmentName}-foundation'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    dataRedundancy: 'Standard_LRS'
    removes: contains(settings, 'RETENTION')
    undeleteDays: 14
    logDays: 30
    logCapGb: 1
    alertEmails: alertEmails
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
  }
}

module app 'app.bicep' = {
  name: 'mv-${environmentName}-app'
  scope: resourceGroup(appGroupOf(environmentName))
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    apiClientId: apiClientId
    apiCallers: apiCallers
    settings: settings
  }
  dependsOn: [foundation]
}

output AZURE_RESOURCE_GROUP string = app.outputs.AZURE_RESOURCE_GROUP
output VAULT_RESOURCE_GROUP string = app.outputs.VAULT_RESOURCE_GROUP
output VAULT_SUBSCRIPTION_ID string = app.outputs.VAULT_SUBSCRIPTION_ID
output APP_NAME string = app.outputs.APP_NAME
output APP_HOST string = app.outputs.APP_HOST
output KEY_VAULT_NAME string = app.outputs.KEY_VAULT_NAME
output TOPIC_NAME string = app.outputs.TOPIC_NAME
output DATA_ACCOUNT_NAME string = app.outputs.DATA_ACCOUNT_NAME
output PACKAGE_TOPIC_NAME string = app.outputs.PACKAGE_TOPIC_NAME
output PACKAGE_ACCOUNT_NAME string = app.outputs.PACKAGE_ACCOUNT_NAME
output BACKUP_IDENTITY object = foundation.outputs.BACKUP_IDENTITY
output RESTORE_IDENTITY object = foundation.outputs.RESTORE_IDENTITY
output PRIVACY_IDENTITY object = foundation.outputs.PRIVACY_IDENTITY
