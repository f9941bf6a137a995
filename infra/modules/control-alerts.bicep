metadata description = 'Tells of each change to what protects the vault. Azure\'s own log of activities shows it, whoever did it.'

param tags object
param prefix string
param actionGroupId string

// Operations of the control plane. Source: learn.microsoft.com/azure/role-based-access-control/permissions, its pages of
// storage, monitor, and management and governance (read 2026-11).
//
// What is `everywhere` is looked for in the whole subscription: a right that is given there holds in the group too, and a
// rule that silences alerts may lie in any group. Each deployment of the app gives rights, so of those only what succeeded
// is told.
var watched = [
  {
    name: 'lock-changed'
    what: 'A lock was taken off the vault or put on it'
    everywhere: false
    operations: ['Microsoft.Authorization/locks/write', 'Microsoft.Authorization/locks/delete']
  }
  {
    name: 'rights-changed'
    what: 'Somebody was given a right in the subscription of the vault, or lost one'
    everywhere: true
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
    everywhere: false
    operations: [
      'Microsoft.Storage/storageAccounts/write'
      'Microsoft.Storage/storageAccounts/delete'
      'Microsoft.Storage/storageAccounts/blobServices/write'
      'Microsoft.Storage/storageAccounts/managementPolicies/write'
      'Microsoft.Storage/storageAccounts/managementPolicies/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/write'
      'Microsoft.Storage/storageAccounts/blobServices/containers/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/write'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/delete'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/lock/action'
      'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies/extend/action'
      'Microsoft.Storage/storageAccounts/listKeys/action'
    ]
  }
  {
    name: 'watch-changed'
    what: 'An alert on the vault was changed or removed, or who is told of it'
    everywhere: false
    operations: [
      'Microsoft.Insights/scheduledQueryRules/write'
      'Microsoft.Insights/scheduledQueryRules/delete'
      'Microsoft.Insights/activityLogAlerts/write'
      'Microsoft.Insights/activityLogAlerts/delete'
      'Microsoft.Insights/metricAlerts/write'
      'Microsoft.Insights/metricAlerts/delete'
      'Microsoft.Insights/actionGroups/write'
      'Microsoft.Insights/actionGroups/delete'
    ]
  }
  {
    name: 'logs-changed'
    what: 'What is logged of the vault was changed, or where that is kept'
    everywhere: false
    operations: [
      'Microsoft.Insights/diagnosticSettings/write'
      'Microsoft.Insights/diagnosticSettings/delete'
      'Microsoft.OperationalInsights/workspaces/write'
      'Microsoft.OperationalInsights/workspaces/delete'
      'Microsoft.OperationalInsights/workspaces/purge/action'
      'Microsoft.OperationalInsights/workspaces/tables/write'
    ]
  }
  {
    name: 'alerts-silenced'
    what: 'A rule that silences alerts was made, changed or removed'
    everywhere: true
    operations: ['Microsoft.AlertsManagement/actionRules/write', 'Microsoft.AlertsManagement/actionRules/delete']
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
      scopes: [subject.everywhere ? subscription().id : resourceGroup().id]
      condition: {
        allOf: concat(
          [
            { field: 'category', equals: 'Administrative' }
            { anyOf: map(subject.operations, operation => { field: 'operationName', equals: operation }) }
          ],
          subject.everywhere ? [{ field: 'status', equals: 'Succeeded' }] : []
        )
      }
      actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
    }
  }
]
