metadata description = 'Tells when an identity of the app is lent to somebody, which whoever deploys the app can do.'

param tags object
param prefix string
param actionGroupId string

@description('The group of the app, which the identities are in.')
param appGroupId string

@description('Whether the vault, and with it the alert on rights, is in another subscription than the app.')
param vaultIsElsewhere bool

// Nothing of the templates makes a federated credential for these identities. Each deployment of the app assigns them to
// the site. Source: learn.microsoft.com/azure/role-based-access-control/permissions/identity (read 2026-11).
var operations = concat(
  [
    'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write'
    'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete'
    'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
  ],
  vaultIsElsewhere
    ? ['Microsoft.Authorization/roleAssignments/write', 'Microsoft.Authorization/roleAssignments/delete']
    : []
)

resource lent 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: '${prefix}-identity-lent'
  location: 'global'
  tags: tags
  properties: {
    description: 'An identity of the app can be used by something else. Runbook: docs/operate.md, "An identity is lent".'
    enabled: true
    scopes: [appGroupId]
    condition: {
      allOf: [
        { field: 'category', equals: 'Administrative' }
        { anyOf: map(operations, operation => { field: 'operationName', equals: operation }) }
        { field: 'status', equals: 'Succeeded' }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}
