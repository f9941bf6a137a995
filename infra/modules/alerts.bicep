metadata description = 'What somebody is woken for, by what is in the logs. Each alert names its runbook in docs/operate.md. None needs the app.'

param location string
param tags object
param prefix string
param actionGroupId string
param workspaceId string

@description('Hours without a look at a mailbox after which somebody is told.')
param silenceHours int

@description('Whether Entra sends sign-ins of managed identities to the workspace.')
param signInLogs bool

@description('The principal ids of the app\'s identities, by duty.')
param duties object

@description('The one identity that may delete from the vault; empty where there is none.')
param retentionPrincipalId string

var principals = join(map(items(duties), duty => '"${duty.value}"'), ', ')

// Every backup of a mailbox ends by writing its head.json, also when nothing had changed. Storage itself counts these
// writes, so that this holds when the app is down, mute, or was never deployed.
resource noBackup 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-no-backup'
  location: location
  tags: tags
  properties: {
    displayName: 'No mailbox was looked at for ${silenceHours} hours'
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
          query: replace(loadTextContent('../queries/no-backup.kql'), 'SILENCE', '${silenceHours}h')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

// By the key of a mailbox, which is the only name that a log has for it.
resource mailboxSilent 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-mailbox-silent'
  location: location
  tags: tags
  properties: {
    displayName: 'A mailbox was not looked at for ${silenceHours} hours'
    description: 'Runbook: docs/operate.md, "One mailbox is behind".'
    severity: 2
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
          query: replace(loadTextContent('../queries/mailbox-silent.kql'), 'SILENCE', '${silenceHours}h')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

// What storage cannot know: mailboxes in scope that were never backed up, or are damaged.
resource coverage 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-coverage'
  location: location
  tags: tags
  properties: {
    displayName: 'The app says that mailboxes are not covered'
    description: 'Runbook: docs/operate.md, "One mailbox is behind".'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    // A table appears with its first row, which comes after this rule.
    skipQueryValidation: true
    evaluationFrequency: 'PT1H'
    windowSize: 'PT2H'
    criteria: {
      allOf: [
        {
          query: loadTextContent('../queries/coverage.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

resource failedFunctions 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
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
          query: loadTextContent('../queries/failed-functions.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 20
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

// Nothing of the app removes a container of the vault's account.
resource containerRemoved 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-container-removed'
  location: location
  tags: tags
  properties: {
    displayName: 'Somebody removed a container of the vault\'s account, or changed what protects it'
    description: 'Runbook: docs/operate.md, "Somebody touched the vault".'
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
          query: loadTextContent('../queries/container-removed.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

resource vaultDeletions 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-vault-deletions'
  location: location
  tags: tags
  properties: {
    displayName: 'Somebody but retention deleted from the vault'
    description: 'Runbook: docs/operate.md, "Somebody touched the vault".'
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
          query: replace(loadTextContent('../queries/vault-deletions.kql'), 'RETENTION', empty(retentionPrincipalId) ? 'nobody' : retentionPrincipalId)
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

// Hourly, since what was overwritten can be brought back for at least two weeks.
resource vaultOverwritten 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${prefix}-vault-overwritten'
  location: location
  tags: tags
  properties: {
    displayName: 'Somebody changed or held what the app writes once'
    description: 'Runbook: docs/operate.md, "Somebody touched the vault".'
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
          query: loadTextContent('../queries/vault-overwritten.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

// How many it takes is the query's to say: it is another number for whoever has a token.
resource storageRefusals 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
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
          query: replace(loadTextContent('../queries/storage-refusals.kql'), 'BACKUP', duties.backup)
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

resource signIns 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (signInLogs) {
  name: '${prefix}-sign-ins'
  location: location
  tags: tags
  properties: {
    displayName: 'An identity of the app signed in from elsewhere'
    description: 'Runbook: docs/operate.md, "An identity from elsewhere".'
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
          query: replace(loadTextContent('../queries/sign-ins.kql'), 'PRINCIPALS', principals)
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}

resource logCap 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
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
          query: loadTextContent('../queries/log-cap.kql')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [actionGroupId] }
  }
}
