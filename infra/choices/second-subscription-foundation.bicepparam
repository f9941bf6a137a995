// A choice: the vault lies in a subscription of its own.
using '../foundation.bicep'
extends '../foundation.bicepparam'

param vaultSubscriptionId = readEnvironmentVariable('VAULT_SUBSCRIPTION_ID')
