metadata description = 'Tells of each change to what protects the vault. Azure\'s own log of activities shows it, whoever did it.'

param tags object
param prefix string
param actionGroupId string

// Operations of the control plane. Source: learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
// (read 2026-11).
var watched = [
  {
    name: 'lock-changed'
    what: 'A lock was taken off the vault or put on it'
    operations: ['Microsoft.Authorization/locks/write', 'Microsoft.Authorization/locks/delete']
  }
  {
    name: 'rights-changed'
    what: 'Somebody was given a right in the group of the vault, or lost one'
    operations: [
      'Microsoft.Authorization/roleAssignments/write'
      'Microsoft.Authorization/roleAssignments/delete'
      'Microsoft.Authorization/roleDefinitions/write'
      'Microsoft.Authorization/roleDefinitions/delete'
    ]
  }
  {
    name: 'protection-changed'
    what: 'Versioning, soft delete, lifecycle, write-once or the network of the vault was changed'
    operations: [
      'Microsoft.Storage/storageAccounts/write'
      'Microsoft.Storage/storageAccounts/delete'
      'Microsoft.Storage/storageAccounts/blobServices/write'
      'Microsoft.Storage/storageAccounts/managementPolicies/write'
      'Microsoft.Storage/storageAccounts/managementPolicies/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/write'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/lock/action'
      'Microsoft.Storage/storageAccounts/listKeys/action'
    ]
  }
  {
    name: 'watch-changed'
    what: 'What the vault is watched by was changed'
    operations: [
      'Microsoft.Insights/diagnosticSettings/write'
      'Microsoft.Insights/diagnosticSettings/delete'
      'Microsoft.Insights/scheduledQueryRules/delete'
      'Microsoft.Insights/activityLogAlerts/delete'
      'Microsoft.Insights/actionGroups/write'
      'Microsoft.Insights/actionGroups/delete'
      'Microsoft.OperationalInsights/workspaces/delete'
    ]
  }
]

resource changed 'Microsoft.Insights/activityLogAlerts@2020-10-01' = [
  for subject in watched: {
    name: '${prefix}-${subject.name}'
    location: 'global'
    tags: tags
    properties: {
      description: '${subject.what}. Runbook: docs/operate.md, "Somebody touched the vault".'
      enabled: true
      scopes: [resourceGroup().id]
      condition: {
        allOf: [
          { field: 'category', equals: 'Administrative' }
          { anyOf: map(subject.operations, operation => { field: 'operationName', equals: operation }) }
        ]
      }
      actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
    }
  }
]
