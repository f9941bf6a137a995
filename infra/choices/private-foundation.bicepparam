// A choice: the vault answers inside a virtual network only.
using '../foundation.bicep'
extends '../foundation.bicepparam'

param isolated = true
