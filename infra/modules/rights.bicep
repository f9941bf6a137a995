metadata description = 'Every right that the app has in Azure, on one page. What it may do in mailboxes is in identity/.'

param hostAccountName string
param dataAccountName string
param keyVaultName string
param insightsName string

@description('Empty where the task hub is in Azure Storage.')
param schedulerName string
param taskHub string

param hostPrincipalId string
param backupPrincipalId string
param restorePrincipalId string
param privacyPrincipalId string
param topicPrincipalId string

@description('Partner topic of Microsoft Graph; empty where there is none.')
param userTopicName string

@description('Whether retention may remove what no kept snapshot needs.')
param removes bool

// Built-in roles. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles (read 2026-11).
var roles = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  durableContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
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

resource keyVault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = if (!empty(schedulerName)) {
  name: empty(schedulerName) ? 'none' : schedulerName
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' existing = if (!empty(schedulerName)) {
  parent: scheduler
  name: taskHub
}

resource userTopic 'Microsoft.EventGrid/partnerTopics@2025-02-15' existing = if (!empty(userTopicName)) {
  name: empty(userTopicName) ? 'none' : userTopicName
}

// Built-in roles that write may also delete a whole container. These may not.
resource writerRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'vault-writer')
  properties: {
    roleName: 'Mailbox Vault writer (${uniqueString(resourceGroup().id)})'
    description: 'Reads and writes blobs, and deletes none.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        notActions: []
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
        ]
        notDataActions: []
      }
    ]
  }
}

resource removerRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'vault-remover')
  properties: {
    roleName: 'Mailbox Vault remover (${uniqueString(resourceGroup().id)})'
    description: 'Deletes blobs, but neither their versions nor the container.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete']
        notDataActions: []
      }
    ]
  }
}

resource appenderRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'audit-appender')
  properties: {
    roleName: 'Mailbox Vault appender (${uniqueString(resourceGroup().id)})'
    description: 'Creates blobs and adds to them; reads, overwrites and deletes none.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read']
        notActions: []
        dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action']
        notDataActions: []
      }
    ]
  }
}

// Packages are containers that the app makes. Which blobs this reaches is said where it is given; of containers, Azure lets
// no condition say which may be made or removed, so alerts.bicep tells of any other that goes.
resource packageKeeperRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'package-keeper')
  properties: {
    roleName: 'Mailbox Vault package keeper (${uniqueString(resourceGroup().id)})'
    description: 'Makes, lists and removes containers, keeps blobs in them, and signs links that write.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/write'
          'Microsoft.Storage/storageAccounts/blobServices/containers/delete'
          'Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action'
        ]
        notActions: []
        dataActions: [
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'
          'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete'
        ]
        notDataActions: []
      }
    ]
  }
}

resource hostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, hostPrincipalId, roles.blobOwner)
  scope: hostAccount
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobOwner)
  }
}

resource hostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, hostPrincipalId, roles.queueContributor)
  scope: hostAccount
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.queueContributor)
  }
}

resource hostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostAccount.id, hostPrincipalId, roles.tableContributor)
  scope: hostAccount
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.tableContributor)
  }
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

resource hostSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(keyVault.id, hostPrincipalId, roles.secretsUser)
  scope: keyVault
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource hostTaskHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(schedulerName)) {
  name: guid(resourceGroup().id, schedulerName, hostPrincipalId, roles.durableContributor)
  scope: hub
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableContributor)
  }
}

resource backupVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, backupPrincipalId, 'writer')
  scope: vault
  properties: {
    principalId: backupPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: writerRole.id
  }
}

resource backupRemoval 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (removes) {
  name: guid(vault.id, backupPrincipalId, 'remover')
  scope: vault
  properties: {
    principalId: backupPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: removerRole.id
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
    roleDefinitionId: appenderRole.id
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
    roleDefinitionId: appenderRole.id
  }
}

// Source: learn.microsoft.com/azure/storage/blobs/storage-auth-abac-attributes (read 2026-11).
resource privacyPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(dataAccount.id, privacyPrincipalId, 'package-keeper')
  scope: dataAccount
  properties: {
    principalId: privacyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: packageKeeperRole.id
    conditionVersion: '2.0'
    condition: '((!(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read\'}) AND !(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write\'}) AND !(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action\'}) AND !(ActionMatches{\'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete\'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringLike \'dsr-*\'))'
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
