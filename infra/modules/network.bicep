metadata description = 'Only for an isolated deployment: the app reaches the vault and the host\'s account inside a virtual network.'

param location string
param tags object
param prefix string
param hostAccountId string
param dataAccountId string

var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
}

var endpoints = [
  { name: 'host-blob', account: hostAccountId, service: 'blob' }
  { name: 'host-queue', account: hostAccountId, service: 'queue' }
  { name: 'host-table', account: hostAccountId, service: 'table' }
  { name: 'data-blob', account: dataAccountId, service: 'blob' }
]

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: '${prefix}-network'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/23'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.20.0.0/24'
          delegations: [
            {
              name: 'functions'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.20.1.0/27' }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = [
  for service in items(zones): {
    name: service.value
    location: 'global'
    tags: tags
  }
]

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = [
  for (service, i) in items(zones): {
    parent: zone[i]
    name: '${prefix}-network'
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

module privateEndpoint 'private-endpoint.bicep' = [
  for endpoint in endpoints: {
    name: '${prefix}-${endpoint.name}'
    params: {
      location: location
      tags: tags
      name: '${prefix}-${endpoint.name}'
      subnetId: '${network.id}/subnets/endpoints'
      accountId: endpoint.account
      service: endpoint.service
      zoneId: resourceId('Microsoft.Network/privateDnsZones', zones[endpoint.service])
    }
    dependsOn: [zone, zoneLink]
  }
]

output appSubnetId string = '${network.id}/subnets/app'
