metadata description = 'Who hears of blobs that are written to one account, and where what could not be delivered is kept.'

@description('System topic of the account.')
param topicName string

@description('The account, which takes dead letters too.')
param accountName string

@description('The function, whose name the subscription has.')
param functionName string
param functionId string

param subjectBeginsWith string
param subjectEndsWith string

@description('A part of a subject that is not told of; empty for none.')
param subjectNotContains string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: functionName
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: functionId
        maxEventsPerBatch: 1
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: subjectBeginsWith
      subjectEndsWith: subjectEndsWith
      isSubjectCaseSensitive: true
      enableAdvancedFilteringOnArrays: false
      advancedFilters: concat(
        [{ operatorType: 'StringIn', key: 'data.api', values: ['PutBlob', 'PutBlockList'] }],
        empty(subjectNotContains)
          ? []
          : [{ operatorType: 'StringNotContains', key: 'subject', values: [subjectNotContains] }]
      )
    }
    retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: account.id
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
}
