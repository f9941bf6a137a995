targetScope = 'subscription'

metadata description = 'The first layer, deployed by an Owner: the groups, the identities, the vault and all that protects and watches it. The app comes after it, with fewer rights.'

import {
  appGroupOf
  insightsOf
  peopleOf
  prefixOf
  tokenOf
  vaultAccountOf
  vaultGroupOf
  vaultTopicOf
  workspaceOf
} from 'names.bicep'

@description('Names the deployment; part of every resource\'s name.')
@minLength(2)
@maxLength(8)
param environmentName string

param location string

@description('Who owns it, and what it is charged to.')
param tags object

@description('Subscription of the vault, where it has one of its own; what can remove it is then out of reach of whoever owns the app\'s.')
param vaultSubscriptionId string = subscription().subscriptionId

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param dataRedundancy string

@description('Closes the vault to the public network.')
param isolated bool = false

@description('Encrypts the vault with a key of your own, in a key vault beside it.')
param customerKey bool = false

@description('Whether retention removes what no kept snapshot needs: only then there is an identity that may delete.')
param removes bool

@minValue(14)
@maxValue(365)
param undeleteDays int = 30

@minValue(0)
param writeOnceDays int = 0

@minValue(0)
param auditDays int = 0

@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Gigabytes of logs a day after which logging stops until midnight; -1 for no cap.')
param logCapGb int = 5

@description('Who is told of alerts and of the budgets.')
param alertEmails array

@description('What each of the two groups may cost in a month before somebody is told.')
param monthlyBudget int

@description('First day of the month that the budgets start in, such as 2026-12-01.')
param budgetStart string

@description('Hours without a look at a mailbox after which somebody is told: a day, and the time that a backup takes.')
@minValue(1)
@maxValue(47)
param silenceHours int = 26

@description('Whether Entra sends sign-ins of managed identities to the workspace: docs/operate.md says who turns that on.')
param signInLogs bool = false

@description('Partner topic of Microsoft Graph that tells of changed users; empty for none. identity/user-events.sh asks for it.')
param userTopicName string = ''

@description('Principal id of the identity that deploys the app; empty where the same person deploys both layers.')
param deployerPrincipalId string = ''

var prefix = prefixOf(environmentName)
var token = tokenOf(subscription().subscriptionId, environmentName, location)
var allTags = union(tags, { 'azd-env-name': environmentName, app: 'mailbox-vault' })
var vaultGroupName = vaultGroupOf(environmentName)
var vaultIsElsewhere = vaultSubscriptionId != subscription().subscriptionId

resource appGroup 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: appGroupOf(environmentName)
  location: location
  tags: allTags
}

module vaultGroup 'modules/group.bicep' = {
  name: '${prefix}-vault-group'
  scope: subscription(vaultSubscriptionId)
  params: {
    name: vaultGroupName
    location: location
    tags: allTags
  }
}

module identities 'modules/identities.bicep' = {
  name: '${prefix}-identities'
  scope: appGroup
  params: {
    location: location
    tags: allTags
    environmentName: environmentName
    removes: removes
  }
}

module roles 'modules/roles.bicep' = {
  name: '${prefix}-roles'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: { prefix: prefix, token: token }
  dependsOn: [vaultGroup]
}

module monitoring 'modules/monitoring.bicep' = {
  name: '${prefix}-monitoring'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    workspaceName: workspaceOf(environmentName)
    insightsName: insightsOf(environmentName)
    retentionDays: logDays
    dailyCapGb: logCapGb
  }
  dependsOn: [vaultGroup]
}

module key 'modules/customer-key.bicep' = if (customerKey) {
  name: '${prefix}-customer-key'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    prefix: prefix
    vaultName: 'mvkey${token}'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: '${prefix}-data-storage'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    name: vaultAccountOf(token)
    redundancy: dataRedundancy
    isolated: isolated
    workspaceId: monitoring.outputs.workspaceId
    undeleteDays: undeleteDays
    writeOnceDays: writeOnceDays
    auditDays: auditDays
    keyIdentityId: customerKey ? key!.outputs.identityId : ''
    keyVaultUri: customerKey ? key!.outputs.vaultUri : ''
    keyName: customerKey ? key!.outputs.keyName : ''
  }
}

module topic 'modules/event-topic.bicep' = {
  name: '${prefix}-data-events'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    name: vaultTopicOf(environmentName)
    accountId: dataStorage.outputs.id
    workspaceId: monitoring.outputs.workspaceId
  }
}

module rights 'modules/vault-rights.bicep' = {
  name: '${prefix}-vault-rights'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    dataAccountName: dataStorage.outputs.name
    insightsName: monitoring.outputs.insightsName
    hostPrincipalId: identities.outputs.host.principalId
    backupPrincipalId: identities.outputs.backup.principalId
    restorePrincipalId: identities.outputs.restore.principalId
    privacyPrincipalId: identities.outputs.privacy.principalId
    retentionPrincipalId: removes ? identities.outputs.retention.principalId : ''
    topicPrincipalId: topic.outputs.principalId
    userTopicGroupId: appGroup.id
    userTopicName: userTopicName
    isolated: isolated
    deployerPrincipalId: deployerPrincipalId
  }
  dependsOn: [roles]
}

module deployer 'modules/deployer-rights.bicep' = if (!empty(deployerPrincipalId)) {
  name: '${prefix}-deployer'
  scope: appGroup
  params: { principalId: deployerPrincipalId }
}

module people 'modules/people.bicep' = {
  name: '${prefix}-people'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    tags: allTags
    name: peopleOf(environmentName)
    emails: alertEmails
  }
  dependsOn: [vaultGroup]
}

module alerts 'modules/alerts.bicep' = {
  name: '${prefix}-alerts'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    prefix: prefix
    actionGroupId: people.outputs.id
    workspaceId: monitoring.outputs.workspaceId
    silenceHours: silenceHours
    signInLogs: signInLogs
    duties: union(
      {
        host: identities.outputs.host.principalId
        backup: identities.outputs.backup.principalId
        restore: identities.outputs.restore.principalId
        privacy: identities.outputs.privacy.principalId
      },
      removes ? { retention: identities.outputs.retention.principalId } : {}
    )
    retentionPrincipalId: removes ? identities.outputs.retention.principalId : ''
  }
}

module topicAlerts 'modules/topic-alerts.bicep' = {
  name: '${prefix}-data-events-alerts'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    tags: allTags
    topicId: topic.outputs.id
    topicName: topic.outputs.name
    actionGroupId: people.outputs.id
  }
}

module controlAlerts 'modules/control-alerts.bicep' = {
  name: '${prefix}-control-alerts'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    tags: allTags
    prefix: prefix
    actionGroupId: people.outputs.id
  }
}

// An alert lies in the subscription that it watches. Where the vault has another, only the app's group is left, in which
// the pipeline could remove it.
module identityAlerts 'modules/identity-alerts.bicep' = {
  name: '${prefix}-identity-alerts'
  scope: resourceGroup(vaultIsElsewhere ? appGroup.name : vaultGroupName)
  params: {
    tags: allTags
    prefix: prefix
    actionGroupId: people.outputs.id
    appGroupId: appGroup.id
    vaultIsElsewhere: vaultIsElsewhere
  }
}

module appBudget 'modules/budget.bicep' = {
  name: '${prefix}-app-budget'
  scope: appGroup
  params: {
    name: '${prefix}-app-budget'
    monthlyAmount: monthlyBudget
    emails: alertEmails
    startDate: budgetStart
  }
}

module vaultBudget 'modules/budget.bicep' = {
  name: '${prefix}-vault-budget'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    name: '${prefix}-vault-budget'
    monthlyAmount: monthlyBudget
    emails: alertEmails
    startDate: budgetStart
  }
  dependsOn: [vaultGroup]
}

module workbook 'modules/workbook.bicep' = {
  name: '${prefix}-workbook'
  scope: resourceGroup(vaultSubscriptionId, vaultGroupName)
  params: {
    location: location
    tags: allTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output BACKUP_IDENTITY object = identities.outputs.backup
output RESTORE_IDENTITY object = identities.outputs.restore
output PRIVACY_IDENTITY object = identities.outputs.privacy
