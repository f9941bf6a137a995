metadata description = 'One identity for each duty, so that what one of them may do, a thief of another may not.'

import { identityOf } from '../names.bicep'

param location string
param tags object
param environmentName string

@description('Whether retention removes what no kept snapshot needs.')
param removes bool

var duties = concat(['host', 'backup', 'restore', 'privacy'], removes ? ['retention'] : [])

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [
  for duty in duties: {
    name: identityOf(environmentName, duty)
    location: location
    tags: tags
  }
]

@description('Runs the Functions host: task hub, keys, deployment package, telemetry. It reads no mail and no vault.')
output host object = {
  clientId: identity[0].properties.clientId
  principalId: identity[0].properties.principalId
}

@description('Exports from mailboxes, and adds to the vault.')
output backup object = {
  clientId: identity[1].properties.clientId
  principalId: identity[1].properties.principalId
}

@description('Reads the vault, and imports into mailboxes.')
output restore object = {
  clientId: identity[2].properties.clientId
  principalId: identity[2].properties.principalId
}

@description('Orders exports of personal data, and signs the links under which they arrive.')
output privacy object = {
  clientId: identity[3].properties.clientId
  principalId: identity[3].properties.principalId
}

@description('Deletes from the vault; empty where nothing is ever removed.')
output retention object = removes
  ? {
      clientId: identity[4].properties.clientId
      principalId: identity[4].properties.principalId
    }
  : {}
