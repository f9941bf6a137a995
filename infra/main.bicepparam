// A deployment to try things out, which `azd up` reads. Production has foundation.bicepparam and prod.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')
param tags = {
  owner: readEnvironmentVariable('OWNER', 'unknown')
  purpose: 'development'
}

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
