metadata description = 'The last layer, in the group of the app: who hears of what is written. Event Grid asks the app, so the app is deployed first.'

@description('The app that app.bicep made.')
param appName string

@description('System topic of the vault\'s account, that account, and the group of both.')
param topicName string
param dataAccountName string
param vaultGroupName string
param vaultSubscriptionId string = subscription().subscriptionId

@description('System topic of the account of personal-data packages, and that account.')
param packageTopicName string
param packageAccountName string

@description('Partner topic of Microsoft Graph that tells of changed users; empty for none. identity/user-events.sh asks for it.')
param userTopicName string = ''

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: appName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
}

resource userTopic 'Microsoft.EventGrid/partnerTopics@2025-02-15' existing = if (!empty(userTopicName)) {
  name: empty(userTopicName) ? 'none' : userTopicName
}

// A manifest is written once for each snapshot, after all that it names. What an event leads to writes no manifest into
// the vault, so none leads to another.
module snapshotWritten '../modules/event-subscription.bicep' = {
  name: 'snapshot-written'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    topicName: topicName
    accountName: dataAccountName
    functionName: 'snapshot-written'
    functionId: '${app.id}/functions/snapshot-written'
    subjectBeginsWith: '/blobServices/default/containers/vault/blobs/'
    subjectEndsWith: '.manifest.json'
    subjectNotContains: ''
  }
}

// What the app itself adds to a package lies below _vault/, and is not told of: it would be told of its own inventory.
module personalDataWritten '../modules/event-subscription.bicep' = {
  name: 'personal-data-written'
  params: {
    topicName: packageTopicName
    accountName: packageAccountName
    functionName: 'personal-data-written'
    functionId: '${app.id}/functions/personal-data-written'
    subjectBeginsWith: '/blobServices/default/containers/dsr-'
    subjectEndsWith: ''
    subjectNotContains: '/blobs/_vault/'
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
