// What the layers before printed; deploy.mjs puts it into the environment.
using 'main.bicep'

param appName = readEnvironmentVariable('APP_NAME')
param topicName = readEnvironmentVariable('TOPIC_NAME')
param dataAccountName = readEnvironmentVariable('DATA_ACCOUNT_NAME')
param vaultGroupName = readEnvironmentVariable('VAULT_RESOURCE_GROUP')
param vaultSubscriptionId = readEnvironmentVariable('VAULT_SUBSCRIPTION_ID')
param packageTopicName = readEnvironmentVariable('PACKAGE_TOPIC_NAME')
param packageAccountName = readEnvironmentVariable('PACKAGE_ACCOUNT_NAME')
param userTopicName = readEnvironmentVariable('USER_TOPIC_NAME', '')
