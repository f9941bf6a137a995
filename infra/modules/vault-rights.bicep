metadata description = 'Every right in the group of the vault, on one page. Rights in the group of the app are in app-rights.bicep, and what the app may do in mailboxes in identity/.'

import { roleNameOf } from '../names.bicep'

param dataAccountName string
param insightsName string

param hostPrincipalId string
param backupPrincipalId string
param restorePrincipalId string
param privacyPrincipalId string

@description('Empty where nothing is ever removed.')
param retentionPrincipalId string

param topicPrincipalId string

@description('Group of the app, which the partner topic is in.')
param userTopicGroupId string

@description('Partner topic of Microsoft Graph; empty where there is none.')
param userTopicName string

@description('Whether the app reaches the vault by private endpoints.')
param isolated bool

@description('Identity that deploys the app; empty where the same person deploys both layers.')
param deployerPrincipalId string

// Built-in roles. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles (read 2026-11).
var roles = {
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: dataAccount
  name: 'default'
}

resource vault 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: dataBlobs
  name: 'vault'
}

resource work 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: dataBlobs
  name: 'work'
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: dataBlobs
  name: 'state'
}

resource audit 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: dataBlobs
  name: 'audit'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: dataBlobs
  name: 'dead-letters'
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource userTopic 'Microsoft.EventGrid/partnerTopics@2025-02-15' existing = if (!empty(userTopicName)) {
  name: empty(userTopicName) ? 'none' : userTopicName
  scope: resourceGroup(split(userTopicGroupId, '/')[2], split(userTopicGroupId, '/')[4])
}

resource adder 'Microsoft.Authorization/roleDefinitions@2022-04-01' existing = {
  name: roleNameOf(resourceGroup().id, 'adder')
}

resource remover 'Microsoft.Authorization/roleDefinitions@2022-04-01' existing = {
  name: roleNameOf(resourceGroup().id, 'remover')
}

resource appender 'Microsoft.Authorization/roleDefinitions@2022-04-01' existing = {
  name: roleNameOf(resourceGroup().id, 'appender')
}

resource linker 'Microsoft.Authorization/roleDefinitions@2022-04-01' existing = {
  name: roleNameOf(resourceGroup().id, 'linker')
}

resource subscriber 'Microsoft.Authorization/roleDefinitions@2022-04-01' existing = {
  name: roleNameOf(resourceGroup().id, 'subscriber')
}

resource hostTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, hostPrincipalId, roles.metricsPublisher)
  scope: insights
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
  }
}

// A new blob is added; of those that are there, it may overwrite the head alone, and packs: a pack of more than 4 MiB is
// written in blocks, and Put Block and Put Block List take the right to write, also for a new blob. No condition can tell
// the two apart; overwriting leaves the old version. Of no blob may it set the tier: what is archived takes hours to read.
// Sources: learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory (permissions for operations),
// learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes.
resource backupVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, backupPrincipalId, 'adder')
  scope: vault
  properties: {
    principalId: backupPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: adder.id
    conditionVersion: '2.0'
    condition: '((!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write\'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike \'*/head.json\' OR @Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringLike \'*/packs/*.zip\')) AND ((!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write\'} AND SubOperationMatches{\'Blob.Write.Tier\'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringEquals \'none\'))'
  }
}

resource backupWork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(work.id, backupPrincipalId, roles.blobContributor)
  scope: work
  properties: {
    principalId: backupPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

resource backupState 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(state.id, backupPrincipalId, roles.blobContributor)
  scope: state
  properties: {
    principalId: backupPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

// What it deletes is what a list of removals has named for a day; the head is on none.
resource retentionVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(retentionPrincipalId)) {
  name: guid(vault.id, retentionPrincipalId, 'remover')
  scope: vault
  properties: {
    principalId: retentionPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: remover.id
    conditionVersion: '2.0'
    condition: '((!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete\'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs:path] StringNotLike \'*/head.json\'))'
  }
}

resource restoreVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, restorePrincipalId, roles.blobReader)
  scope: vault
  properties: {
    principalId: restorePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobReader)
  }
}

resource restoreWork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(work.id, restorePrincipalId, roles.blobContributor)
  scope: work
  properties: {
    principalId: restorePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

resource restoreAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(audit.id, restorePrincipalId, 'appender')
  scope: audit
  properties: {
    principalId: restorePrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: appender.id
  }
}

resource privacyVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, privacyPrincipalId, roles.blobReader)
  scope: vault
  properties: {
    principalId: privacyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobReader)
  }
}

resource privacyWork 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(work.id, privacyPrincipalId, roles.blobContributor)
  scope: work
  properties: {
    principalId: privacyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

resource privacyAudit 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(audit.id, privacyPrincipalId, 'appender')
  scope: audit
  properties: {
    principalId: privacyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: appender.id
  }
}

resource topicDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(deadLetters.id, topicPrincipalId, roles.blobContributor)
  scope: deadLetters
  properties: {
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

resource userTopicDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(userTopicName)) {
  name: guid(deadLetters.id, userTopicName, roles.blobContributor)
  scope: deadLetters
  properties: {
    principalId: userTopic!.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

// The pipeline changes nothing that protects or watches the vault. With private networking it links the app's network.
resource deployerSubscribes 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  name: guid(resourceGroup().id, deployerPrincipalId, 'subscriber')
  properties: {
    principalId: deployerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriber.id
  }
}

resource deployerLinks 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (isolated && !empty(deployerPrincipalId)) {
  name: guid(dataAccount.id, deployerPrincipalId, 'linker')
  scope: dataAccount
  properties: {
    principalId: deployerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: linker.id
  }
}
