// The app of a vault in a subscription of its own.
using '../app.bicep'
extends '../prod.bicepparam'

param vaultSubscriptionId = readEnvironmentVariable('VAULT_SUBSCRIPTION_ID')
