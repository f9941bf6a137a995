targetScope = 'subscription'

metadata description = 'The group of the vault, which may be in another subscription.'

param name string
param location string
param tags object

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: name
  location: location
  tags: tags
}
