metadata description = 'The second layer, deployed by the pipeline into the group of the app: the app, its own accounts and its settings. It holds no locks, no role definitions, and nothing of the vault.'

import {
  identityOf
  insightsOf
  peopleOf
  prefixOf
  tokenOf
  vaultAccountOf
  vaultGroupOf
  vaultTopicOf
  workspaceOf
} from 'names.bicep'

@description('The same as the foundation\'s.')
@minLength(2)
@maxLength(8)
param environmentName string

param location string

@description('Who owns it, and what it is charged to.')
param tags object

@description('Subscription of the vault, where the foundation put it into one of its own.')
param vaultSubscriptionId string = subscription().subscriptionId

@description('Where the task hub is. There is no way from one to the other while runs are alive.')
@allowed(['AzureStorage', 'DurableTaskScheduler'])
param durableBackend string = 'AzureStorage'

@description('Spreads the plan over zones, which keeps two instances always ready and is paid for as that.')
param zoneRedundant bool = false

@description('Reaches the vault and the host\'s account inside a virtual network only. The foundation closes the vault itself.')
param isolated bool = false

@minValue(40)
@maxValue(1000)
param maximumInstances int = 40

@allowed([512, 2048, 4096])
param instanceMemoryMb int = 2048

@description('Client id of the app registration that callers ask tokens for; identity/register-api.sh makes it.')
param apiClientId string

@description('Client ids of the programs that may call.')
param apiCallers array

@description('Settings of the app that a person chooses, by the names that docs/settings.md explains.')
param settings object

@description('Whether notices are posted to the address in the secret notify-webhook-url; identity/secret.mjs puts it there.')
param notifies bool = false

var prefix = prefixOf(environmentName)
var token = tokenOf(subscription().subscriptionId, environmentName, location)
var taskHub = 'MailboxVault'
var allTags = union(tags, { 'azd-env-name': environmentName, app: 'mailbox-vault' })
var vaultGroupName = vaultGroupOf(environmentName)
var removes = contains(settings, 'RETENTION')

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: vaultAccountOf(token)
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceOf(environmentName)
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsOf(environmentName)
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: peopleOf(environmentName)
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
}

resource host 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityOf(environmentName, 'host')
}

resource backup 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityOf(environmentName, 'backup')
}

resource restore 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityOf(environmentName, 'restore')
}

resource privacy 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityOf(environmentName, 'privacy')
}

resource retention 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (removes) {
  name: identityOf(environmentName, 'retention')
}

module hostStorage 'modules/host-storage.bicep' = {
  name: '${prefix}-host-storage'
  params: {
    location: location
    tags: allTags
    name: 'mvhost${token}'
    redundancy: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    isolated: isolated
    workspaceId: workspace.id
  }
}

module packageStorage 'modules/package-storage.bicep' = {
  name: '${prefix}-package-storage'
  params: {
    location: location
    tags: allTags
    name: 'mvdsr${token}'
    workspaceId: workspace.id
  }
}

module keyVault 'modules/key-vault.bicep' = {
  name: '${prefix}-key-vault'
  params: {
    location: location
    tags: allTags
    name: 'mv-${token}'
    workspaceId: workspace.id
  }
}

module durable 'modules/durable.bicep' = if (durableBackend == 'DurableTaskScheduler') {
  name: '${prefix}-durable'
  params: {
    location: location
    tags: allTags
    prefix: prefix
    taskHub: taskHub
    historyDays: 30
  }
}

module network 'modules/network.bicep' = if (isolated) {
  name: '${prefix}-network'
  params: {
    location: location
    tags: allTags
    prefix: prefix
    hostAccountId: hostStorage.outputs.id
    dataAccountId: dataAccount.id
  }
}

module packageTopic 'modules/event-topic.bicep' = {
  name: '${prefix}-package-events'
  params: {
    location: location
    tags: allTags
    name: '${prefix}-package-events'
    accountId: packageStorage.outputs.id
    workspaceId: workspace.id
  }
}

module packageTopicAlerts 'modules/topic-alerts.bicep' = {
  name: '${prefix}-package-events-alerts'
  params: {
    tags: allTags
    topicId: packageTopic.outputs.id
    topicName: packageTopic.outputs.name
    actionGroupId: people.id
  }
}

module rights 'modules/app-rights.bicep' = {
  name: '${prefix}-app-rights'
  params: {
    hostAccountName: hostStorage.outputs.name
    packageAccountName: packageStorage.outputs.name
    keyVaultName: keyVault.outputs.name
    schedulerName: durableBackend == 'DurableTaskScheduler' ? durable!.outputs.schedulerName : ''
    taskHub: taskHub
    hostPrincipalId: host.properties.principalId
    privacyPrincipalId: privacy.properties.principalId
    packageTopicPrincipalId: packageTopic.outputs.principalId
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: '${prefix}-function-app'
  params: {
    location: location
    tags: allTags
    prefix: prefix
    token: token
    zoneRedundant: zoneRedundant
    maximumInstances: maximumInstances
    instanceMemoryMb: instanceMemoryMb
    subnetId: isolated ? network!.outputs.appSubnetId : ''
    hostIdentity: { id: host.id, clientId: host.properties.clientId }
    backupIdentity: { id: backup.id, clientId: backup.properties.clientId }
    restoreIdentity: { id: restore.id, clientId: restore.properties.clientId }
    privacyIdentity: { id: privacy.id, clientId: privacy.properties.clientId }
    retentionIdentity: removes ? { id: retention!.id, clientId: retention!.properties.clientId } : {}
    packagesUrl: hostStorage.outputs.packagesUrl
    hostBlobEndpoint: hostStorage.outputs.blobEndpoint
    hostQueueEndpoint: hostStorage.outputs.queueEndpoint
    hostTableEndpoint: hostStorage.outputs.tableEndpoint
    dataBlobEndpoint: dataAccount.properties.primaryEndpoints.blob
    dataAccountId: dataAccount.id
    packageBlobEndpoint: packageStorage.outputs.blobEndpoint
    packageAccountId: packageStorage.outputs.id
    keyVaultUri: keyVault.outputs.uri
    insightsConnectionString: insights.properties.ConnectionString
    workspaceId: workspace.id
    taskHub: taskHub
    usesScheduler: durableBackend == 'DurableTaskScheduler'
    schedulerEndpoint: durableBackend == 'DurableTaskScheduler' ? durable!.outputs.endpoint : ''
    apiClientId: apiClientId
    apiCallers: apiCallers
    choices: settings
    notifies: notifies
  }
  // The host cannot start before it may read its own account.
  dependsOn: [rights]
}

output AZURE_RESOURCE_GROUP string = resourceGroup().name
output VAULT_RESOURCE_GROUP string = vaultGroupName
output VAULT_SUBSCRIPTION_ID string = vaultSubscriptionId
output TOPIC_NAME string = vaultTopicOf(environmentName)
output DATA_ACCOUNT_NAME string = dataAccount.name
output APP_NAME string = functionApp.outputs.name
output APP_HOST string = functionApp.outputs.hostName
output KEY_VAULT_NAME string = keyVault.outputs.name
output PACKAGE_TOPIC_NAME string = packageTopic.outputs.name
output PACKAGE_ACCOUNT_NAME string = packageStorage.outputs.name
