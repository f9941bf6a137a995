<#
.SYNOPSIS
  Gives one identity what it may do in mailboxes, in the mailboxes of one group or administrative unit only.

.DESCRIPTION
  Uses RBAC for Applications of Exchange Online, by the roles that grants.json lists. A tenant-wide Graph permission of the
  same identity would make the scope meaningless, since the two add up: check-grants.sh looks for that.
  Only direct members of a group count. A change takes 30 minutes to two hours until Exchange heeds it.

.EXAMPLE
  ./grant-exchange.ps1 -Duty backup -AppId <client id> -PrincipalId <object id> -Group 'Mailbox Vault' -WhatIf
  ./grant-exchange.ps1 -Duty backup -AppId <client id> -PrincipalId <object id> -Group 'Mailbox Vault'
  ./grant-exchange.ps1 -Duty backup -AppId <client id> -PrincipalId <object id> -AdministrativeUnit <id>
#>
#Requires -Modules ExchangeOnlineManagement
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High', DefaultParameterSetName = 'Group')]
param(
  [Parameter(Mandatory)] [ValidateSet('backup', 'restore')] [string] $Duty,
  [Parameter(Mandatory)] [guid] $AppId,
  [Parameter(Mandatory)] [guid] $PrincipalId,
  [Parameter(Mandatory, ParameterSetName = 'Group')] [string] $Group,
  [Parameter(Mandatory, ParameterSetName = 'Unit')] [guid] $AdministrativeUnit,
  # Also what a duty can do without: to delete the items that a restore brought, see docs/operate.md.
  [switch] $ByChoice
)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

$grants = Get-Content -Raw (Join-Path $PSScriptRoot 'grants.json') | ConvertFrom-Json
$name = "mailbox-vault-$Duty"
$scopeName = "MailboxVault-$Duty"

if (-not (Get-ConnectionInformation)) { Connect-ExchangeOnline -ShowBanner:$false }

if (-not (Get-ServicePrincipal | Where-Object { $_.ObjectId -eq $PrincipalId })) {
  if ($PSCmdlet.ShouldProcess($name, 'make the identity known to Exchange')) {
    New-ServicePrincipal -AppId $AppId -ObjectId $PrincipalId -DisplayName $name | Out-Null
  }
}

$scope = @{}
if ($PSCmdlet.ParameterSetName -eq 'Unit') {
  $scope.RecipientAdministrativeUnitScope = $AdministrativeUnit
} else {
  $dn = (Get-Group -Identity $Group).DistinguishedName -replace "'", "''"
  $filter = "MemberOfGroup -eq '$dn'"
  $existing = Get-ManagementScope -Identity $scopeName -ErrorAction SilentlyContinue
  if (-not $existing) {
    if ($PSCmdlet.ShouldProcess($scopeName, "make a scope: $filter")) {
      New-ManagementScope -Name $scopeName -RecipientRestrictionFilter $filter | Out-Null
    }
  } elseif ($existing.RecipientFilter -ne $filter) {
    Write-Warning "The scope $scopeName has another filter: $($existing.RecipientFilter). It is left as it is."
  }
  $scope.CustomResourceScope = $scopeName
}

$held = @(Get-ManagementRoleAssignment -RoleAssignee $PrincipalId -ErrorAction SilentlyContinue | ForEach-Object { $_.Role })
$roles = @($grants.$Duty.exchange)
if ($ByChoice -and $Duty -eq 'restore') { $roles += $grants.restore.byChoice }
foreach ($role in $roles) {
  if ($held -contains $role) { Write-Output "$Duty has $role"; continue }
  if ($PSCmdlet.ShouldProcess($name, "give $role")) {
    New-ManagementRoleAssignment -App $PrincipalId -Role $role @scope | Out-Null
    Write-Output "gave $Duty $role"
  }
}
