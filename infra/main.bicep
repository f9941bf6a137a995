targetScope = 'subscription'

metadata description = 'Mailbox Vault in one resource group. The second layer, events/main.bicep, follows once the app is deployed.'

@description('Names the deployment; part of every resource\'s name.')
@minLength(2)
@maxLength(8)
param environmentName string

param location string

@description('Who owns it, and what it is charged to.')
param tags object

@description('Where the task hub is. There is no way from one to the other while runs are alive.')
@allowed(['AzureStorage', 'DurableTaskScheduler'])
param durableBackend string = 'AzureStorage'

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param dataRedundancy string

@description('Spreads the plan over zones, which keeps two instances always ready and is paid for as that.')
param zoneRedundant bool = false

@description('Closes both storage accounts to the public network.')
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

@description('Whether notices are posted to the address in the secret notify-webhook-url; identity/secret.sh puts it there.')
param notifies bool = false

@description('Partner topic of Microsoft Graph that tells of changed users; empty for none. identity/user-events.sh asks for it.')
param userTopicName string = ''

@minValue(14)
@maxValue(365)
param undeleteDays int = 30

@minValue(0)
param writeOnceDays int = 0

@minValue(0)
param auditDays int = 0

@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Gigabytes of logs a day after which logging stops until midnight; -1 for no cap.')
param logCapGb int = 5

@description('Who is told of alerts and of the budget.')
param alertEmails array

@description('Hours without one mailbox backed up after which somebody is told: a day, and the time that a backup takes.')
@minValue(1)
@maxValue(47)
param silenceHours int = 26

param monthlyBudget int

@description('First day of the month that the budget starts in, such as 2026-12-01.')
param budgetStart string

var prefix = 'mv-${environmentName}'
var token = uniqueString(subscription().id, environmentName, location)
var taskHub = 'MailboxVault'
var allTags = union(tags, { 'azd-env-name': environmentName, app: 'mailbox-vault' })

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: '${prefix}-rg'
  location: location
  tags: allTags
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    retentionDays: logDays
    dailyCapGb: logCapGb
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'mvhost${token}'
    redundancy: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'
    isolated: isolated
    workspaceId: monitoring.outputs.workspaceId
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'mvdata${token}'
    redundancy: dataRedundancy
    isolated: isolated
    workspaceId: monitoring.outputs.workspaceId
    undeleteDays: undeleteDays
    writeOnceDays: writeOnceDays
    auditDays: auditDays
  }
}

module keyVault 'modules/key-vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'mv-${token}'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module durable 'modules/durable.bicep' = if (durableBackend == 'DurableTaskScheduler') {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    taskHub: taskHub
    historyDays: 30
  }
}

module network 'modules/network.bicep' = if (isolated) {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    hostAccountId: hostStorage.outputs.id
    dataAccountId: dataStorage.outputs.id
  }
}

module topic 'modules/event-topic.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    dataAccountId: dataStorage.outputs.id
    workspaceId: monitoring.outputs.workspaceId
  }
}

module rights 'modules/rights.bicep' = {
  scope: group
  params: {
    hostAccountName: hostStorage.outputs.name
    dataAccountName: dataStorage.outputs.name
    keyVaultName: keyVault.outputs.name
    insightsName: monitoring.outputs.insightsName
    schedulerName: durableBackend == 'DurableTaskScheduler' ? durable!.outputs.schedulerName : ''
    taskHub: taskHub
    hostPrincipalId: identities.outputs.host.principalId
    backupPrincipalId: identities.outputs.backup.principalId
    restorePrincipalId: identities.outputs.restore.principalId
    privacyPrincipalId: identities.outputs.privacy.principalId
    topicPrincipalId: topic.outputs.principalId
    userTopicName: userTopicName
    removes: contains(settings, 'RETENTION')
  }
}

module functionApp 'modules/function-app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    zoneRedundant: zoneRedundant
    maximumInstances: maximumInstances
    instanceMemoryMb: instanceMemoryMb
    subnetId: isolated ? network!.outputs.appSubnetId : ''
    hostIdentity: identities.outputs.host
    backupIdentity: identities.outputs.backup
    restoreIdentity: identities.outputs.restore
    privacyIdentity: identities.outputs.privacy
    packagesUrl: hostStorage.outputs.packagesUrl
    hostBlobEndpoint: hostStorage.outputs.blobEndpoint
    hostQueueEndpoint: hostStorage.outputs.queueEndpoint
    hostTableEndpoint: hostStorage.outputs.tableEndpoint
    dataBlobEndpoint: dataStorage.outputs.blobEndpoint
    dataAccountId: dataStorage.outputs.id
    keyVaultUri: keyVault.outputs.uri
    insightsConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    taskHub: taskHub
    schedulerEndpoint: durableBackend == 'DurableTaskScheduler' ? durable!.outputs.endpoint : ''
    apiClientId: apiClientId
    apiCallers: apiCallers
    choices: settings
    notifies: notifies
  }
  // The host cannot start before it may read its own account.
  dependsOn: [rights]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    prefix: prefix
    emails: alertEmails
    workspaceId: monitoring.outputs.workspaceId
    topicId: topic.outputs.id
    topicName: topic.outputs.name
    silenceHours: silenceHours
  }
}

module budget 'modules/budget.bicep' = {
  scope: group
  params: {
    name: '${prefix}-budget'
    monthlyAmount: monthlyBudget
    emails: alertEmails
    startDate: budgetStart
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = functionApp.outputs.name
output APP_HOST string = functionApp.outputs.hostName
output KEY_VAULT_NAME string = keyVault.outputs.name
output TOPIC_NAME string = topic.outputs.name
output DATA_ACCOUNT_NAME string = dataStorage.outputs.name
output BACKUP_IDENTITY object = identities.outputs.backup
output RESTORE_IDENTITY object = identities.outputs.restore
output PRIVACY_IDENTITY object = identities.outputs.privacy
