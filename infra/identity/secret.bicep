metadata description = 'One secret of the key vault. A value that is deployed again makes a new version.'

param keyVaultName string

@allowed(['seal-key', 'notify-webhook-url'])
param name string

@secure()
param value string

resource keyVault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: keyVaultName
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: keyVault
  name: name
  properties: { value: value }
}
