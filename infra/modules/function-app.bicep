metadata description = 'The app, its plan, its settings, and who may call it.'

param location string
param tags object
param prefix string

@description('Makes the name of the site, which is a name in the world\'s DNS, unique.')
param token string

param zoneRedundant bool
param maximumInstances int
param instanceMemoryMb int
param subnetId string

param hostIdentity object
param backupIdentity object
param restoreIdentity object
param privacyIdentity object

@description('Empty where nothing is ever removed.')
param retentionIdentity object

param packagesUrl string
param hostBlobEndpoint string
param hostQueueEndpoint string
param hostTableEndpoint string
param dataBlobEndpoint string
param dataAccountId string
param packageBlobEndpoint string
param packageAccountId string
param keyVaultUri string
param insightsConnectionString string
param workspaceId string

param taskHub string

@description('Whether the task hub is in the Durable Task Scheduler, and not in Azure Storage.')
param usesScheduler bool

@description('Endpoint of the scheduler; empty without one.')
param schedulerEndpoint string

@description('Client id of the app registration that callers ask tokens for.')
param apiClientId string

@description('Client ids of the programs that may call.')
param apiCallers array

@description('Settings of the app that a person chooses, by the names that it reads.')
param choices object

@description('Whether the key vault holds the address that notices are posted to.')
param notifies bool

// What the Functions host reads. The platform sets runtime and version itself: on Flex Consumption they are not settings.
var hostSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: hostIdentity.clientId
  AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
  AzureWebJobsStorage__queueServiceUri: hostQueueEndpoint
  AzureWebJobsStorage__tableServiceUri: hostTableEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${hostIdentity.clientId};Authorization=AAD'
  TASKHUB_NAME: taskHub
  // What streams through the app is garbage at once. A small young generation, and an old one whose limit makes it collect
  // sooner, keep it from piling up to twice the memory.
  languageWorkers__node__arguments: '--max-semi-space-size=2 --max-old-space-size=512'
  // By default the C library sets memory aside for each thread: some 30 MiB more.
  MALLOC_ARENA_MAX: '2'
}

// Puts the task hub into the scheduler, in place of what host.json says.
var schedulerSettings = !usesScheduler
  ? {}
  : {
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${hostIdentity.clientId}'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
    }

// What the app reads and only this deployment knows.
var appSettings = {
  AUTHENTICATION: 'platform'
  BACKUP_IDENTITY_CLIENT_ID: backupIdentity.clientId
  RESTORE_IDENTITY_CLIENT_ID: restoreIdentity.clientId
  PRIVACY_IDENTITY_CLIENT_ID: privacyIdentity.clientId
  VAULT_BLOB_ENDPOINT: dataBlobEndpoint
  EVENT_SOURCE: dataAccountId
  PACKAGES_BLOB_ENDPOINT: packageBlobEndpoint
  PACKAGES_EVENT_SOURCE: packageAccountId
  SEAL_KEY: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/seal-key)'
}

// The right to delete from the vault is an identity of its own, and is not there where nothing is removed.
var retentionSettings = empty(retentionIdentity)
  ? {}
  : { RETENTION_IDENTITY_CLIENT_ID: retentionIdentity.clientId }

// Whoever translates ids as the caller asks Entra in the name of the API, of this tenant.
var translates = contains(choices, 'ID_TRANSLATION') && choices.ID_TRANSLATION == 'delegated'
var translationSettings = translates
  ? {
      ID_TRANSLATION_TENANT_ID: tenant().tenantId
      ID_TRANSLATION_CLIENT_ID: apiClientId
    }
  : {}

var noticeSettings = notifies
  ? { NOTIFY_WEBHOOK_URL: '@Microsoft.KeyVault(SecretUri=${keyVaultUri}secrets/notify-webhook-url)' }
  : {}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: '${prefix}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: '${prefix}-app-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: union(
      {
        '${hostIdentity.id}': {}
        '${backupIdentity.id}': {}
        '${restoreIdentity.id}': {}
        '${privacyIdentity.id}': {}
      },
      empty(retentionIdentity) ? {} : { '${retentionIdentity.id}': {} }
    )
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: hostIdentity.id
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'node', version: '22' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: hostIdentity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(hostSettings, schedulerSettings, appSettings, retentionSettings, translationSettings, noticeSettings, choices)
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: { allow: false }
}

resource noBasicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: { allow: false }
}

// It checks tokens and signs nobody in, so it needs no secret. Event Grid comes with a key instead of a token, to the
// webhooks only; the health check says nothing that a stranger may not know.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: ['/runtime/webhooks/*', '/api/health']
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: apiClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [apiClientId, 'api://${apiClientId}']
          defaultAuthorizationPolicy: { allowedApplications: apiCallers }
        }
      }
    }
    // The app sees a caller's token only where it acts in their name.
    login: { tokenStore: { enabled: translates } }
  }
}

resource siteLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: site
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
  }
}

output name string = site.name
output id string = site.id
output hostName string = site.properties.defaultHostName
