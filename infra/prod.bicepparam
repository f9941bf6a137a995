// Production. A pipeline deploys it; values that name the tenant come from the environment of its run.
using 'main.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION')
param tags = {
  owner: readEnvironmentVariable('OWNER')
  costCenter: readEnvironmentVariable('COST_CENTER')
  purpose: 'production'
}

// Backups lie in three zones, and a copy of them in another region.
param dataRedundancy = 'Standard_GZRS'
param zoneRedundant = false
param maximumInstances = 40
param instanceMemoryMb = 2048

param undeleteDays = 30
// Ask whoever answers for personal data before setting this: what cannot be deleted cannot be erased on request either.
param writeOnceDays = 0
param auditDays = 365

param logDays = 180
param logCapGb = 10
param alertEmails = split(readEnvironmentVariable('ALERT_EMAILS'), ',')
param silenceHours = 26
param monthlyBudget = 1000
param budgetStart = readEnvironmentVariable('BUDGET_START')

param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param apiCallers = split(readEnvironmentVariable('API_CALLERS'), ',')

// Turn it on once the secret notify-webhook-url is in the key vault.
param notifies = false
// Empty: leavers are noticed by the nightly backup only.
param userTopicName = readEnvironmentVariable('USER_TOPIC_NAME', '')

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
  // Without this line nothing is ever removed.
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
