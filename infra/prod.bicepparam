// Production's app. A pipeline deploys it; values that name the tenant come from the environment of its run.
using 'app.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION')
param tags = {
  owner: readEnvironmentVariable('OWNER')
  costCenter: readEnvironmentVariable('COST_CENTER')
  purpose: 'production'
}

param zoneRedundant = false
param maximumInstances = 40
param instanceMemoryMb = 2048

param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param apiCallers = split(readEnvironmentVariable('API_CALLERS'), ',')

// Turn it on once the secret notify-webhook-url is in the key vault.
param notifies = false

param settings = {
  BACKUP_SCHEDULE: '0 0 1 * * *'
  BACKUP_SCOPE: 'licensed'
  BACKUP_EXCLUDE: ''
  BACKUP_EXCLUDE_FOLDERS: ''
  BACKUP_ARCHIVES: 'false'
  BACKUP_WINDOW: '8'
  RESTORE_WINDOW: '8'
  // 'true' once grant-exchange.ps1 -ByChoice has given the restore identity the right to delete items.
  RESTORE_UNDO_ITEMS: 'false'
  LANE_SECONDS: '100'
  VERIFY_SHARE: '1/30'
  VERIFY_SCHEDULE: '0 0 13 * * *'
  PERSONAL_DATA_SAS_HOURS: '72'
  PERSONAL_DATA_TIMEOUT_DAYS: '7'
  PERSONAL_DATA_DEADLINE_DAYS: '30'
  // Without this line nothing is ever removed; with it the foundation needs `removes = true`.
  RETENTION: 'last=7,daily=30,weekly=12,monthly=24,yearly=7,within=7d'
  BACKUP_INTERVAL_HOURS: '24'
  COVERAGE_SCHEDULE: '0 30 * * * *'
  LEAVER_HOLD_DAYS: '365'
  NOTIFY_FORMAT: 'teams'
  // Empty: no restore is rehearsed.
  REHEARSAL_MAILBOX: readEnvironmentVariable('REHEARSAL_MAILBOX', '')
  REHEARSAL_SCHEDULE: '0 0 12 * * *'
  REHEARSAL_ITEMS: '20'
  IMPORT_HOSTS: 'outlook.office365.com'
  ID_TRANSLATION: 'app'
}
