metadata description = 'The second layer: who hears of what is written. Event Grid asks the app, so the app is deployed first.'

@description('The app that main.bicep made.')
param appName string

@description('The system topic of the data account.')
param topicName string

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

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource userTopic 'Microsoft.EventGrid/partnerTopics@2025-02-15' existing = if (!empty(userTopicName)) {
  name: empty(userTopicName) ? 'none' : userTopicName
}

// A manifest is written once for each snapshot, after all that it names. What an event leads to writes no manifest into
// the vault, so none leads to another.
resource snapshotWritten 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'snapshot-written'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/snapshot-written'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/vault/blobs/'
      subjectEndsWith: '.manifest.json'
      isSubjectCaseSensitive: true
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: ['PutBlob', 'PutBlockList']
        }
      ]
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

// What the app itself adds to a package lies below _vault/, and is not told of: it would be told of its own inventory.
resource personalDataWritten 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'personal-data-written'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/personal-data-written'
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/dsr-'
      isSubjectCaseSensitive: true
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.api'
          values: ['PutBlob', 'PutBlockList']
        }
        {
          operatorType: 'StringNotContains'
          key: 'subject'
          values: ['/blobs/_vault/']
        }
      ]
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
