metadata description = 'The second layer: who hears of what is written. Event Grid asks the app, so the app is deployed first.'

@description('The app that main.bicep made.')
param appName string

@description('The data account, which takes dead letters too.')
param dataAccountName string

@description('Partner topic of Microsoft Graph that tells of changed users; empty for none. identity/user-events.sh asks for it.')
param userTopicName string = ''

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource userTopic 'Microsoft.EventGrid/partnerTopics@2025-02-15' existing = if (!empty(userTopicName)) {
  name: empty(userTopicName) ? 'none' : userTopicName
}

resource userChanged 'Microsoft.EventGrid/partnerTopics/eventSubscriptions@2025-02-15' = if (!empty(userTopicName)) {
  parent: userTopic
  name: 'user-changed'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/user-changed'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Graph.UserUpdated', 'Microsoft.Graph.UserDeleted']
      enableAdvancedFilteringOnArrays: false
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: dataAccount.id
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
}
