metadata description = 'One identity for each duty, so that what one of them may do, a thief of another may not.'

param location string
param tags object
param prefix string

var duties = ['host', 'backup', 'restore', 'privacy']

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [
  for duty in duties: {
    name: '${prefix}-${duty}'
    location: location
    tags: tags
  }
]

@description('Runs the Functions host: task hub, keys, deployment package, telemetry. It reads no mail and no vault.')
output host object = {
  id: identity[0].id
  clientId: identity[0].properties.clientId
  principalId: identity[0].properties.principalId
}

@description('Exports from mailboxes, and writes the vault.')
output backup object = {
  id: identity[1].id
  clientId: identity[1].properties.clientId
  principalId: identity[1].properties.principalId
}

@description('Reads the vault, and imports into mailboxes.')
output restore object = {
  id: identity[2].id
  clientId: identity[2].properties.clientId
  principalId: identity[2].properties.principalId
}

@description('Orders exports of personal data, and signs the links under which they arrive.')
output privacy object = {
  id: identity[3].id
  clientId: identity[3].properties.clientId
  principalId: identity[3].properties.principalId
}
