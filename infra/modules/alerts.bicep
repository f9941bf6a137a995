metadata description = 'What somebody is woken for. Each alert names its runbook in docs/operate.md.'

param location string
param tags object
param prefix string
param emails array
param workspaceId string
param topicId string
param topicName string

@description('Hours without one mailbox backed up after which somebody is told.')
param silenceHours int

var headsWritten = '''
StorageBlobLogs
| where TimeGenerated > ago(SILENCE)
| where OperationName == "PutBlob" and StatusCode in ("200", "201")
| where Uri has "/vault/" and Uri has "/head.json"
| count
| where Count == 0
'''

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-people'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mailvault'
    emailReceivers: [
      for (email, i) in emails: {
        name: 'person-${i}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// Every backup of a mailbox ends by writing its head.json, also when nothing had changed. Storage itself counts these
// writes, so that this holds when the app is down, mute, or was never deployed.
resource silence 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-no-backup'
  location: location
  tags: tags
  properties: {
    displayName: 'No mailbox was backed up for ${silenceHours} hours'
    description: 'Runbook: docs/operate.md, "No backup".'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT1H'
    windowSize: 'PT1H'
    overrideQueryTimeRange: 'P2D'
    criteria: {
      allOf: [
        {
          query: replace(headsWritten, 'SILENCE', '${silenceHours}h')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource failedRuns 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-failed-functions'
  location: location
  tags: tags
  properties: {
    displayName: 'Functions keep failing'
    description: 'Runbook: docs/operate.md, "Functions keep failing".'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      allOf: [
        {
          query: '''
AppRequests
| where Success == false
| where ResultCode !startswith "4"
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 20
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

// Nothing of the app removes a container but those of personal-data exports.
resource removed 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-container-removed'
  location: location
  tags: tags
  properties: {
    displayName: 'Somebody removed a container of the vault\'s account, or changed what protects it'
    description: 'Runbook: docs/operate.md, "Refusals at the vault".'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: '''
StorageBlobLogs
| where OperationName in ("DeleteContainer", "SetBlobServiceProperties")
| where not(OperationName == "DeleteContainer" and Uri has "/dsr-")
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

// The app's own identities are refused nothing in a sound deployment.
resource refusals 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-storage-refusals'
  location: location
  tags: tags
  properties: {
    displayName: 'Somebody was refused at the vault'
    description: 'Runbook: docs/operate.md, "Refusals at the vault".'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      allOf: [
        {
          query: '''
StorageBlobLogs
| where StatusCode == "403"
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 5
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource muted 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-log-cap'
  location: location
  tags: tags
  properties: {
    displayName: 'The day\'s cap on logs is reached: alerts are blind until midnight'
    description: 'Runbook: docs/operate.md, "Log cap".'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT1H'
    windowSize: 'PT1H'
    criteria: {
      allOf: [
        {
          query: '''
_LogOperation
| where Category =~ "Ingestion" and Detail has "OverQuota"
'''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [people.id] }
  }
}

resource deadLettered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'An event on ${topicName} was given up. Runbook: docs/operate.md, "Dead letters".'
    severity: 2
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-lettered'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeadLetteredCount'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-undelivered'
  location: 'global'
  tags: tags
  properties: {
    description: 'Events on ${topicName} do not reach the app. Runbook: docs/operate.md, "Dead letters".'
    severity: 3
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'delivery-attempts-failed'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'DeliveryAttemptFailCount'
          operator: 'GreaterThan'
          threshold: 50
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: people.id }]
  }
}

output actionGroupId string = people.id
