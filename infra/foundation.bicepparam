// Production's foundation. An Owner deploys it, once and when something here changes.
using 'foundation.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION')
param tags = {
  owner: readEnvironmentVariable('OWNER')
  costCenter: readEnvironmentVariable('COST_CENTER')
  purpose: 'production'
}

// Backups lie in three zones, and a copy of them in another region.
param dataRedundancy = 'Standard_GZRS'
param undeleteDays = 30
// Ask whoever answers for personal data before setting this: what cannot be deleted cannot be erased on request either.
param writeOnceDays = 0
param auditDays = 365
// Retention removes what no kept snapshot needs, where the app's settings have RETENTION.
param removes = true

param logDays = 180
param logCapGb = 10
param alertEmails = split(readEnvironmentVariable('ALERT_EMAILS'), ',')
param silenceHours = 26
param monthlyBudget = 1000
param budgetStart = readEnvironmentVariable('BUDGET_START')

// Empty: leavers are noticed by the nightly backup only.
param userTopicName = readEnvironmentVariable('USER_TOPIC_NAME', '')
// Printed by identity/deployer.sh for the environment prod.
param deployerPrincipalId = readEnvironmentVariable('DEPLOYER_PRINCIPAL_ID')
