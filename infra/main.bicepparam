// A deployment to try things out, which `azd up` reads. Production has a file of its own.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param tags = {
  owner: readEnvironmentVariable('OWNER', 'unknown')
  purpose: 'development'
}

param dataRedundancy = 'Standard_LRS'
param undeleteDays = 14
param logDays = 30
param logCapGb = 1
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
param monthlyBudget = 100
param budgetStart = readEnvironmentVariable('BUDGET_START')

param apiClientId = readEnvironmentVariable('API_CLIENT_ID')
param apiCallers = split(readEnvironmentVariable('API_CALLERS'), ',')

// A few mailboxes of people who agreed.
param settings = {
  BACKUP_SCHEDULE: '0 0 1 * * *'
  BACKUP_SCOPE: readEnvironmentVariable('BACKUP_SCOPE')
}
