metadata description = 'Roles of our own, where the built-in ones allow more than a duty needs. Built-in roles that write may also delete a whole container.'

import { roleNameOf } from '../names.bicep'

param prefix string

resource adder 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleNameOf(resourceGroup().id, 'adder')
  properties: {
    roleName: 'Mailbox Vault adder (${prefix})'
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
    roleName: 'Mailbox Vault remover (${prefix})'
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
    roleName: 'Mailbox Vault appender (${prefix})'
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
    roleName: 'Mailbox Vault linker (${prefix})'
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
