metadata description = 'Every right that the app has in its own group, on one page. Its rights in the group of the vault are in vault-rights.bicep.'

param hostAccountName string
param packageAccountName string
param keyVaultName string

@description('Empty where the task hub is in Azure Storage.')
param schedulerName string
param taskHub string

param hostPrincipalId string
param privacyPrincipalId string
param packageTopicPrincipalId string

// Built-in roles. Source: learn.microsoft.com/azure/role-based-access-control/built-in-roles (read 2026-11).
var roles = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  durableContributor: '0ad04412-c4d5-4796-b79c-f76d14c8d402'
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource packageAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: packageAccountName
}

resource packageBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' existing = {
  parent: packageAccount
  name: 'default'
}

resource packageDeadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  parent: packageBlobs
  name: 'dead-letters'
}

resource keyVault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = if (!empty(schedulerName)) {
  name: empty(schedulerName) ? 'none' : schedulerName
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' existing = if (!empty(schedulerName)) {
  parent: scheduler
  name: taskHub
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

// Packages are containers that the app makes and removes, and it signs links that write into them: all of the account is
// packages.
resource privacyPackages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(packageAccount.id, privacyPrincipalId, roles.blobContributor)
  scope: packageAccount
  properties: {
    principalId: privacyPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}

resource packageTopicDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(packageDeadLetters.id, packageTopicPrincipalId, roles.blobContributor)
  scope: packageDeadLetters
  properties: {
    principalId: packageTopicPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobContributor)
  }
}
