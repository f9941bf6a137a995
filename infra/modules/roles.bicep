metadata description = 'Roles of our own, where the built-in ones allow more than a duty needs. Built-in roles that write may also delete a whole container.'

import { roleNameOf } from '../names.bicep'

param prefix string

@description('Keeps the names of roles apart: one may stand once in a tenant, whatever the subscription.')
param token string

resource adder 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'adder')
  properties: {
    roleName: 'Mailbox Vault adder (${prefix}-${token})'
    description: 'Reads and adds blobs, and deletes none. Which it may overwrite is said where it is given.'
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

resource remover 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'remover')
  properties: {
    roleName: 'Mailbox Vault remover (${prefix}-${token})'
    description: 'Deletes blobs, but neither their versions nor the container; reads and writes none.'
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

resource appender 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'appender')
  properties: {
    roleName: 'Mailbox Vault appender (${prefix}-${token})'
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

resource linker 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'linker')
  properties: {
    roleName: 'Mailbox Vault linker (${prefix}-${token})'
    description: 'Connects private endpoints to a storage account; reads and changes nothing else of it.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/read'
          'Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

// What the pipeline needs in this group. It reads what the app refers to, sends the app's logs to the workspace, and
// subscribes the app to the topic: by a nested deployment here, and with the right to hear of the account, which is the
// source. It changes nothing else. The keys of the workspace, which sending logs takes, open nothing: it has local
// authentication off. Sources: learn.microsoft.com/azure/event-grid/security-authorization;
// learn.microsoft.com/azure/azure-resource-manager/templates/deploy-to-resource-group (required permissions); a refusal
// of diagnosticSettings names the action on the workspace, github.com/MicrosoftDocs/azure-docs/issues/80159.
resource subscriber 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'subscriber')
  properties: {
    roleName: 'Mailbox Vault subscriber (${prefix}-${token})'
    description: 'Reads what the app refers to, sends it events and takes its logs; changes and reads nothing else.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: [
          'Microsoft.Storage/storageAccounts/read'
          'Microsoft.Insights/components/read'
          'Microsoft.Insights/actionGroups/read'
          'Microsoft.OperationalInsights/workspaces/read'
          'Microsoft.OperationalInsights/workspaces/sharedKeys/action'
          'Microsoft.EventGrid/systemTopics/read'
          'Microsoft.EventGrid/systemTopics/eventSubscriptions/read'
          'Microsoft.EventGrid/systemTopics/eventSubscriptions/write'
          'Microsoft.EventGrid/eventSubscriptions/read'
          'Microsoft.EventGrid/eventSubscriptions/write'
          'Microsoft.Resources/subscriptions/resourceGroups/read'
          'Microsoft.Resources/deployments/read'
          'Microsoft.Resources/deployments/write'
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/operations/read'
          'Microsoft.Resources/deployments/operationStatuses/read'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}
