<#
.SYNOPSIS
  Writes what an identity may do in mailboxes as JSON, for check-grants.sh.

.EXAMPLE
  ./list-exchange.ps1 -PrincipalId <object id> > backup-exchange.json
#>
#Requires -Modules ExchangeOnlineManagement
[CmdletBinding()]
param([Parameter(Mandatory)] [guid] $PrincipalId)
$ErrorActionPreference = 'Stop'

if (-not (Get-ConnectionInformation)) { Connect-ExchangeOnline -ShowBanner:$false }

ConvertTo-Json -Depth 3 @(
  Get-ManagementRoleAssignment -RoleAssignee $PrincipalId |
    ForEach-Object {
      @{
        role = [string]$_.Role
        scope = [string]$(if ($_.CustomResourceScope) { $_.CustomResourceScope } else { $_.RecipientAdministrativeUnitScope })
      }
    }
)
