// secret.mjs puts the value into the environment, since other users of a machine can read the arguments of a process.
using 'secret.bicep'

param keyVaultName = readEnvironmentVariable('KEY_VAULT_NAME')
param name = readEnvironmentVariable('SECRET_NAME')
param value = readEnvironmentVariable('SECRET_VALUE')
