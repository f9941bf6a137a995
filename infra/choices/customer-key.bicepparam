// A choice: a key of your own encrypts the vault, and sign-ins of the identities are watched.
using '../foundation.bicep'
extends '../foundation.bicepparam'

param customerKey = true
param signInLogs = true
