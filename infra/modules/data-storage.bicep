metadata description = 'The account of the vault. What is in it must outlive every mistake, so there are four nets below it.'

param location string
param tags object
param name string
param redundancy string
param isolated bool
param workspaceId string

@description('Days in which a deleted or overwritten blob can be brought back.')
@minValue(14)
@maxValue(365)
param undeleteDays int

@description('Days in which no version of a blob of the vault may be deleted; 0 for no such policy. It starts unlocked.')
@minValue(0)
param writeOnceDays int

@description('Days in which lines of the audit log may only be added; 0 for no such policy. It starts unlocked.')
@minValue(0)
param auditDays int

@description('Identity that reaches the key of your own that encrypts the account; empty for Microsoft\'s keys.')
param keyIdentityId string
param keyVaultUri string
param keyName string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  identity: empty(keyIdentityId) ? null : { type: 'UserAssigned', userAssignedIdentities: { '${keyIdentityId}': {} } }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Nothing signs links to the vault.
    sasPolicy: { expirationAction: 'Block', sasExpirationPeriod: '0.01:00:00' }
    // Without a version the account takes each new one of the key by itself.
    encryption: empty(keyIdentityId)
      ? null
      : {
          keySource: 'Microsoft.Keyvault'
          identity: { userAssignedIdentity: keyIdentityId }
          keyvaultproperties: { keyvaulturi: keyVaultUri, keyname: keyName }
          services: { blob: { enabled: true, keyType: 'Account' }, file: { enabled: true, keyType: 'Account' } }
        }
    publicNetworkAccess: 'Enabled'
    // Event Grid writes its dead letters as a trusted service, which a closed account lets in only by this bypass.
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isolated ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: undeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: undeleteDays }
    changeFeed: { enabled: true, retentionInDays: undeleteDays }
  }
}

// Write-once is by version: head.json may be written again, which makes a new version and leaves the old one.
resource vault 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'vault'
  properties: {
    publicAccess: 'None'
    // Only possible when a container is made; without a policy it forbids nothing.
    immutableStorageWithVersioning: { enabled: true }
  }
}

resource vaultPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (writeOnceDays > 0) {
  parent: vault
  name: 'default'
  properties: { immutabilityPeriodSinceCreationInDays: writeOnceDays }
}

resource work 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'work'
  properties: { publicAccess: 'None' }
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'state'
  properties: { publicAccess: 'None' }
}

resource audit 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'audit'
  properties: { publicAccess: 'None' }
}

resource auditPolicy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (auditDays > 0) {
  parent: audit
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: auditDays
    allowProtectedAppendWrites: true
  }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'dead-letters'
  properties: { publicAccess: 'None' }
}

// Nothing here touches vault, state or audit, but for versions that were overwritten or deleted. Their
// days count from when they were written; soft delete keeps what is removed here for undeleteDays more.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'work-lasts-sixty-days'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['work/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 60 } } }
          }
        }
        {
          name: 'dead-letters-last-a-month'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['dead-letters/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 30 } } }
          }
        }
        {
          name: 'old-versions-of-what-is-short-lived'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['work/', 'dead-letters/'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: 7 } } }
          }
        }
        {
          name: 'old-versions-of-what-is-kept'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['vault/', 'state/'] }
            actions: { version: { delete: { daysAfterCreationGreaterThan: max(undeleteDays, writeOnceDays) } } }
          }
        }
      ]
    }
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'keep-the-vault'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the backups. Remove this lock only to give them up.'
  }
}

// Writes say that backups go on; reads and deletes say who looked at mail, and who tried to remove it.
resource blobLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output name string = account.name
output id string = account.id
