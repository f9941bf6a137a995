metadata description = 'Names that both layers know: the foundation makes some of what the app refers to.'

@export()
@description('Part of every name that must be unique in the world.')
func tokenOf(subscriptionId string, environmentName string, location string) string =>
  uniqueString(subscriptionId, environmentName, location)

@export()
func prefixOf(environmentName string) string => 'mv-${environmentName}'

@export()
func appGroupOf(environmentName string) string => 'mv-${environmentName}-rg'

@export()
func vaultGroupOf(environmentName string) string => 'mv-${environmentName}-vault-rg'

@export()
func vaultAccountOf(token string) string => 'mvdata${token}'

@export()
func workspaceOf(environmentName string) string => 'mv-${environmentName}-logs'

@export()
func insightsOf(environmentName string) string => 'mv-${environmentName}-insights'

@export()
func peopleOf(environmentName string) string => 'mv-${environmentName}-people'

@export()
func vaultTopicOf(environmentName string) string => 'mv-${environmentName}-data-events'

@export()
@description('One identity for each duty. That of retention exists only where something is ever removed.')
func identityOf(environmentName string, duty string) string => 'mv-${environmentName}-${duty}'

@export()
@description('The custom roles, by what they allow, in the group of the vault.')
func roleNameOf(vaultGroupId string, role string) string => guid(vaultGroupId, role)
