metadata description = 'The Durable Task Scheduler, for whoever prefers it to the task hub in Azure Storage.'

param location string
param tags object
param prefix string
param taskHub string

@description('Days after which a finished run is forgotten. Its inputs name mailboxes, which are personal data.')
param historyDays int

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: '${prefix}-scheduler'
  location: location
  tags: tags
  properties: {
    sku: { name: 'Consumption' }
    // An empty list would let nobody in; who may use it is a matter of roles.
    ipAllowlist: ['0.0.0.0/0']
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: taskHub
  properties: {}
}

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2025-11-01' = {
  parent: scheduler
  name: 'default'
  properties: { retentionPolicies: [{ retentionPeriodInDays: historyDays }] }
}

output schedulerName string = scheduler.name
output endpoint string = scheduler.properties.endpoint
